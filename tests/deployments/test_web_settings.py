"""Settings of the web application: what is wrong stops the start with one sentence that names the variable."""

import pytest

from deployments.web_settings import load
from storage.errors import SettingsError

TOKEN = "a" * 32


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNCLINE_HOME", str(tmp_path / "home"))


def test_defaults():
    """Without any setting the address is where it listens, and a token is generated once, for its owner alone."""
    web = load("http://127.0.0.1:8123")

    assert web.public_url == "http://127.0.0.1:8123"
    assert web.return_origins == {"http://127.0.0.1:8123"}
    assert web.trusted_proxies == ()
    assert len(web.admin_token) >= 43
    assert load().admin_token == web.admin_token
    assert TOKEN not in repr(web)


def test_the_generated_token_is_for_its_owner_alone(tmp_path):
    """The file is 0600."""
    load()

    assert (tmp_path / "home" / "admin.token").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("said", "public"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://APP.example.com:443/", "https://app.example.com"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_public_address(monkeypatch, said, public):
    """It is kept as browsers write an origin."""
    monkeypatch.setenv("SYNCLINE_PUBLIC_URL", said)

    assert load().public_url == public


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYNCLINE_PUBLIC_URL", "app.example.com"),
        ("SYNCLINE_PUBLIC_URL", "ftp://secret-canary"),
        ("SYNCLINE_PUBLIC_URL", "https://user:secret-canary@app.example.com"),
        ("SYNCLINE_PUBLIC_URL", "https://app.example.com/secret-canary"),
        ("SYNCLINE_PUBLIC_URL", "https://app.example.com/?secret-canary"),
        ("SYNCLINE_PUBLIC_URL", "https://app.example.com:99999"),
        ("SYNCLINE_RETURN_ORIGINS", "https://a.example.com, secret-canary"),
        ("SYNCLINE_RETURN_ORIGINS", "*"),
        ("SYNCLINE_TRUSTED_PROXIES", "secret-canary"),
        ("SYNCLINE_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("SYNCLINE_TRUSTED_PROXIES", "*"),
        ("SYNCLINE_ADMIN_TOKEN", "secret-canary"),
        ("SYNCLINE_ADMIN_TOKEN", "secret-canary-" + "é" * 32),
        ("SYNCLINE_ADMIN_TOKEN", "secret-canary " + "x" * 32),
    ],
)
def test_what_is_malformed_is_named_and_not_shown(monkeypatch, name, value):
    """The sentence names the variable, and no part of its value."""
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as raised:
        load()

    assert name in str(raised.value)
    assert "canary" not in str(raised.value)


def test_with_a_database_of_your_own_the_token_is_yours(monkeypatch):
    """Nothing is generated beside a database that is not our own."""
    monkeypatch.setenv("SYNCLINE_DATABASE_URL", "postgresql://db.internal/product")

    with pytest.raises(SettingsError, match="SYNCLINE_ADMIN_TOKEN is not set"):
        load()

    monkeypatch.setenv("SYNCLINE_ADMIN_TOKEN", TOKEN)
    assert load().admin_token == TOKEN
