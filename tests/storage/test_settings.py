import os
import stat

import pytest

from storage import settings
from storage.errors import SettingsError
from storage.settings import database_url, home, is_embedded, load_environment, storage_settings


@pytest.fixture(autouse=True)
def _in_an_empty_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_home_is_private_whatever_the_umask(tmp_path):
    """The folder is made 0700, its missing parents too, and a parent that was there keeps its mode."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    os.environ["SYNCLINE_HOME"] = str(tmp_path / "open" / "new" / "home")
    before = os.umask(0)
    try:
        made = home()
    finally:
        os.umask(before)

    assert (mode(made), mode(made.parent), mode(tmp_path / "open")) == (0o700, 0o700, 0o755)


def test_a_home_that_is_open_is_closed(tmp_path):
    """A folder that others could read is made private."""
    (tmp_path / ".syncline").mkdir()
    (tmp_path / ".syncline").chmod(0o755)

    assert mode(home()) == 0o700


def test_a_home_that_cannot_be_is_refused(tmp_path):
    """A file in the way is said so, naming the variable."""
    (tmp_path / "file").touch()
    os.environ["SYNCLINE_HOME"] = str(tmp_path / "file" / "home")

    with pytest.raises(SettingsError, match="SYNCLINE_HOME"):
        home()


def test_the_database_is_the_embedded_one_unless_set(tmp_path):
    """Without a setting the address comes from the file of the embedded database."""
    with pytest.raises(SettingsError, match="syncline up"):
        database_url()
    (home() / settings.DATABASE_URL_FILE).write_text("postgresql:///embedded\n")
    assert is_embedded()
    assert database_url() == "postgresql:///embedded"

    os.environ["SYNCLINE_DATABASE_URL"] = "postgresql:///mine"

    assert not is_embedded()
    assert database_url() == "postgresql:///mine"


@pytest.mark.parametrize("url", ["postgres:hunter2", "hunter2", "postgresql://u:hunter2@h:port/x y=1"])
def test_a_malformed_address_is_named_and_never_shown(url):
    """The sentence names the variable; the password that is in it is nowhere, not even in the cause."""
    os.environ["SYNCLINE_DATABASE_URL"] = url

    with pytest.raises(SettingsError, match="SYNCLINE_DATABASE_URL") as caught:
        database_url()

    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


def test_a_malformed_number_is_named():
    """A setting that is no number names its variable and not its value."""
    os.environ["SYNCLINE_LOG_RETENTION_DAYS"] = "hunter2"

    with pytest.raises(SettingsError, match="SYNCLINE_LOG_RETENTION_DAYS") as caught:
        storage_settings()

    assert "hunter2" not in str(caught.value)


def test_the_environment_goes_before_dotenv_and_dotenv_before_secrets(tmp_path):
    """What is set already stays; then comes `.env`, then the folder of secrets."""
    os.environ["SYNCLINE_A"] = "environment"
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("SYNCLINE_A", "SYNCLINE_B", "SYNCLINE_C", "unrelated"):
        (secrets / name).write_text("secrets\n")
    (tmp_path / ".env").write_text(f"SYNCLINE_A=dotenv\nexport SYNCLINE_B='dotenv'\nSYNCLINE_SECRETS_DIR={secrets}\n")

    load_environment()

    assert [os.environ[f"SYNCLINE_{name}"] for name in "ABC"] == ["environment", "dotenv", "secrets"]
    assert "unrelated" not in os.environ


@pytest.mark.parametrize("content", [b"SYNCLINE_A=1\nthis is 'not a setting\n", b"SYNCLINE_A=\xff\xfe\n"])
def test_a_garbled_dotenv_is_refused(tmp_path, content):
    """A line that is no setting is named by its number; nothing of it is shown."""
    (tmp_path / ".env").write_bytes(content)

    with pytest.raises(SettingsError, match=r"\.env") as caught:
        load_environment()

    assert "not a setting" not in str(caught.value)
    assert "SYNCLINE_A" not in os.environ


def test_a_missing_folder_of_secrets_is_refused(tmp_path):
    """A folder that was named and is not there is an error, not an absence of secrets."""
    os.environ["SYNCLINE_SECRETS_DIR"] = str(tmp_path / "not-there")

    with pytest.raises(SettingsError, match="SYNCLINE_SECRETS_DIR"):
        load_environment()


def test_secrets_are_in_no_repr():
    """The settings in a traceback or a log show no secret."""
    os.environ["SYNCLINE_DATABASE_URL"] = "postgresql://u:hunter2@h/x"
    os.environ["SYNCLINE_ENCRYPTION_KEYS"] = "hunter3"

    assert "hunter" not in repr(storage_settings())
