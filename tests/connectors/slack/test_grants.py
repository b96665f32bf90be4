"""Tokens of a workspace: asked for, exchanged, renewed and given back as Slack documents it."""

import dataclasses
import json
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from connectors.errors import ConnectorError, Misconfigured, Reconnect, TryLater, Unavailable
from connectors.oauth import Attempt
from tests.connectors.conftest import http

SAMPLES = Path(__file__).parents[2] / "data" / "slack"
GRANTED = {
    "ok": True,
    "access_token": "xoxe.xoxb-1",
    "refresh_token": "xoxe-1",
    "expires_in": 43_200,
    "scope": "channels:read,users:read",
    "team": {"id": "T1", "name": "Acme"},
}


@pytest.fixture
def attempt():
    return Attempt("http://127.0.0.1:8000/connect/slack/callback", "state-1")


def form(asked):
    return dict(parse_qsl(asked.body.decode()))


def test_where_the_browser_is_sent(slack, provider, attempt):
    """To Slack's own page with the app, the least scopes, and no challenge unless that is switched on."""
    parts = urlsplit(slack.authorize_url(attempt))
    query = parse_qs(parts.query)

    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{provider.url}/oauth/v2/authorize"
    assert query["client_id"] == ["1.2"]
    assert query["redirect_uri"] == [attempt.redirect_uri]
    assert query["state"] == ["state-1"]
    assert query["scope"] == ["channels:history,channels:read,chat:write,groups:history,groups:read,users:read"]
    assert not any(name.startswith("code_challenge") for name in query)
    assert "canary" not in parts.query
    assert not slack.pkce


async def test_a_code_becomes_a_grant(slack, session, provider, attempt):
    """The app's token, the workspace and what was granted; the secret goes in the body, the token nowhere."""
    provider.answer = lambda _: http(GRANTED)

    grant = await slack.exchange(session, attempt, "code-1")

    (asked,) = provider.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/api/oauth.v2.access", {})
    assert form(asked) == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": attempt.redirect_uri,
        "client_id": "1.2",
        "client_secret": "canary-client-secret",
    }
    assert "authorization" not in asked.headers
    assert (grant.account.external_account_id, grant.account.name, grant.account.mode) == ("T1", "Acme", "live")
    assert grant.scopes == ("channels:read", "users:read")
    assert {name: grant.credentials[name] for name in ("access_token", "refresh_token")} == {
        "access_token": "xoxe.xoxb-1",
        "refresh_token": "xoxe-1",
    }
    assert grant.credentials["expires_at"].isdecimal()
    assert slack.grant_key(grant.account) == "slack T1"
    assert "xox" not in repr(grant)


async def test_with_a_challenge_there_is_no_secret(slack, session, provider, attempt, monkeypatch):
    """A public client sends its verifier; sent together with the secret Slack refuses both."""
    monkeypatch.setenv("SYNCLINE_SLACK_PKCE", "true")
    provider.answer = lambda _: http(GRANTED)
    attempt = dataclasses.replace(attempt, verifier="v" * 43)

    assert slack.pkce
    query = parse_qs(urlsplit(slack.authorize_url(attempt)).query)
    assert query["code_challenge_method"] == ["S256"]
    assert "v" * 43 not in query["code_challenge"]
    await slack.exchange(session, attempt, "code-1")
    sent = form(provider.asked[0])
    assert sent["code_verifier"] == "v" * 43
    assert "client_secret" not in sent


async def test_a_token_that_lasts(slack, session, provider, attempt):
    """Without rotation there is neither an end nor anything to renew it with."""
    lasting = {name: value for name, value in GRANTED.items() if name not in ("refresh_token", "expires_in")}
    provider.answer = lambda _: http(lasting)

    grant = await slack.exchange(session, attempt, "code-1")

    assert set(grant.credentials) == {"access_token"}


async def test_slacks_own_sample(slack, session, provider, attempt):
    """An answer of the published shape, empty where the samples are, connects nothing."""
    sample = json.loads((SAMPLES / "api.oauth.v2.access.json").read_text())
    for fields in ({}, {"access_token": "xoxb-1"}, {"access_token": "xoxb-1", "team": None}):
        provider.answer = lambda _, said=sample | {"ok": True} | fields: http(said)
        with pytest.raises(ConnectorError):
            await slack.exchange(session, attempt, "code-1")
    provider.answer = lambda _: http(sample | GRANTED)
    assert (await slack.exchange(session, attempt, "code-1")).account.external_account_id == "T1"


@pytest.mark.parametrize(
    ("word", "error", "told"),
    [
        ("invalid_code", ConnectorError, "again from the beginning"),
        ("code_already_used", ConnectorError, "again from the beginning"),
        ("bad_client_secret", Misconfigured, "SYNCLINE_SLACK_CLIENT_SECRET"),
        ("invalid_client_id", Misconfigured, "SYNCLINE_SLACK_CLIENT_ID"),
        ("bad_redirect_uri", Misconfigured, "SYNCLINE_PUBLIC_URL"),
        ("something_new", ConnectorError, "Slack"),
        ("ratelimited", TryLater, "Slack"),
    ],
)
async def test_a_code_that_is_refused(slack, session, provider, attempt, word, error, told):
    """Nothing is connected, the sentence says whose turn it is, and the code is sent once."""
    provider.answer = lambda _: http({"ok": False, "error": word})

    with pytest.raises(error, match=told) as caught:
        await slack.exchange(session, attempt, "canary-code")

    assert len(provider.asked) == 1
    assert "canary" not in str(caught.value)


async def test_a_token_is_renewed(slack, session, provider):
    """With the refresh token that was spent by it replaced, and what else is known kept."""
    provider.answer = lambda _: http(GRANTED | {"access_token": "xoxe.xoxb-2", "refresh_token": "xoxe-2"})
    old = dataclasses.replace(session, credentials={"access_token": "a", "refresh_token": "xoxe-1", "other": "kept"})

    new = await slack.refresh(old)

    assert form(provider.asked[0])["refresh_token"] == "xoxe-1"
    assert form(provider.asked[0])["grant_type"] == "refresh_token"
    assert (new["access_token"], new["refresh_token"], new["other"]) == ("xoxe.xoxb-2", "xoxe-2", "kept")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (http({"ok": False, "error": "invalid_refresh_token"}), Reconnect),
        (http({"ok": False, "error": "token_revoked"}), Reconnect),
        (http({"ok": False, "error": "bad_client_secret"}), Misconfigured),
        (http({"ok": False, "error": "internal_error"}), Unavailable),
        (http({"ok": False, "error": "something_new"}), Unavailable),
        (http({"ok": False, "error": "missing_scope"}), Unavailable),
        (http({}, 500), Unavailable),
        (http(b"<html>", 200), Unavailable),
        (http({"ok": True}), Unavailable),
        (http({"ok": False, "error": "ratelimited"}, 429, retry_after=5), TryLater),
    ],
)
async def test_a_renewal_that_fails(slack, session, provider, said, error):
    """Only Slack's own word that the grant is over needs the user; nothing is sent twice, the token may be spent."""
    provider.answer = lambda _: said

    with pytest.raises(error) as caught:
        await slack.refresh(dataclasses.replace(session, credentials={"access_token": "a", "refresh_token": "b"}))

    assert isinstance(caught.value, error)
    assert isinstance(caught.value, Reconnect) is (error is Reconnect)
    assert len(provider.asked) == 1


@pytest.mark.parametrize("said", [{"ok": True, "revoked": True}, {"ok": False, "error": "token_revoked"}])
async def test_a_grant_is_given_back(slack, session, provider, said):
    """By the token itself; one that is over already counts as given back."""
    provider.answer = lambda _: http(said)

    await slack.revoke(session)

    (asked,) = provider.asked
    assert (asked.method, asked.path) == ("POST", "/api/auth.revoke")
    assert asked.headers["authorization"].startswith("Bearer xoxb-")


@pytest.mark.parametrize("missing", ["CLIENT_ID", "CLIENT_SECRET"])
def test_settings_that_are_missing(slack, provider, monkeypatch, missing):
    """The sentence names the variable."""
    monkeypatch.delenv(f"SYNCLINE_SLACK_{missing}")

    with pytest.raises(Misconfigured, match=f"SYNCLINE_SLACK_{missing} must"):
        slack.check_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("DISTRIBUTION", "canary"), ("PKCE", "canary"), ("API_URL", "http://canary.example"), ("API_URL", "canary")],
)
def test_settings_that_are_wrong(slack, session, provider, monkeypatch, name, value):
    """The sentence names the variable and not its value."""
    monkeypatch.setenv(f"SYNCLINE_SLACK_{name}", value)

    with pytest.raises(Misconfigured, match=f"SYNCLINE_SLACK_{name}") as caught:
        slack.open(session)

    assert "canary" not in str(caught.value)
