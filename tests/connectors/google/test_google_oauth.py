"""Consent is asked for so that it lasts, and tokens are renewed without spending what is good for one use."""

import base64
import dataclasses
import hashlib
import json
import time
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from connectors.errors import Broken, ConnectorError, Misconfigured, Reconnect, TryLater
from connectors.oauth import Attempt
from connectors.registry import get
from connectors.session import Session
from tests.connectors.conftest import http

HOME = "me@example.com"
READ = "https://www.googleapis.com/auth/calendar.readonly"
WRITE = "https://www.googleapis.com/auth/calendar.events"
ATTEMPT = Attempt("http://127.0.0.1:8000/connect/google_calendar/callback", "state-1", "v" * 43)
TOKENS = {"access_token": "ya29.new", "expires_in": 3599, "refresh_token": "1//new", "scope": f"{READ} {WRITE}"}


@pytest.fixture
def google(provider, monkeypatch):
    """Google's sign-in and calendar in one: the answers of its token endpoint stand in `tokens`."""
    provider.tokens, provider.calendar = http(TOKENS), http({"kind": "calendar#calendar", "id": HOME, "summary": "Me"})
    answers = {"/token": lambda: provider.tokens, "/revoke": lambda: provider.tokens}
    provider.answer = lambda asked: answers.get(asked.path, lambda: provider.calendar)()
    for name, value in {
        "CLIENT_ID": "client-1",
        "CLIENT_SECRET": "GOCSPX-canary",
        "AUTHORIZE_URL": f"{provider.url}/auth",
        "TOKEN_URL": f"{provider.url}/token",
        "REVOKE_URL": f"{provider.url}/revoke",
        "CALENDAR_API_URL": provider.url,
    }.items():
        monkeypatch.setenv(f"SYNCLINE_GOOGLE_{name}", value)
    return provider


@pytest.fixture
def connector(google):
    return get("google_calendar")


@pytest.fixture
def session(throttle, records):
    return Session({}, "", "live", throttle, records.append, time.monotonic() + 30)


@pytest.fixture
def stored(session):
    """A session of an account that was connected a while ago."""
    credentials = {
        "access_token": "ya29.old",
        "refresh_token": "1//canary",
        "expires_at": str(int(time.time())),
        "granted_at": str(int(time.time()) - 86_400),
    }
    return dataclasses.replace(session, credentials=credentials)


def forms(google):
    return [dict(parse_qsl(asked.body.decode())) for asked in google.asked if asked.path in {"/token", "/revoke"}]


def test_the_browser_is_sent_away_with_everything(connector, google):
    """Offline access, consent each time, a code challenge, exactly the scopes that are needed, no others."""
    url = urlsplit(connector.authorize_url(ATTEMPT))

    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(ATTEMPT.verifier.encode()).digest()).rstrip(b"=").decode()
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{google.url}/auth"
    assert asked == {
        "response_type": "code",
        "client_id": "client-1",
        "redirect_uri": ATTEMPT.redirect_uri,
        "scope": f"{READ} {WRITE}",
        "state": "state-1",
        "access_type": "offline",
        "prompt": "consent",
        "include_granted_scopes": "false",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }


async def test_a_code_becomes_a_grant(connector, google, session):
    """Whose account it is, what opens it, and what was granted."""
    grant = await connector.exchange(session, ATTEMPT, "4/code")

    assert (grant.account.external_account_id, grant.account.name, grant.account.mode) == (HOME, "Me", "live")
    assert grant.scopes == (READ, WRITE)
    assert grant.credentials["access_token"] == "ya29.new"
    assert grant.credentials["refresh_token"] == "1//new"
    assert abs(int(grant.credentials["expires_at"]) - time.time() - 3599) < 60
    assert forms(google) == [
        {
            "grant_type": "authorization_code",
            "code": "4/code",
            "redirect_uri": ATTEMPT.redirect_uri,
            "code_verifier": ATTEMPT.verifier,
            "client_id": "client-1",
            "client_secret": "GOCSPX-canary",
        }
    ]
    assert "canary" not in repr(grant)
    assert "1//new" not in repr(grant)


async def test_nothing_is_connected_without_a_refresh_token(connector, google, session):
    """Access that ends within the hour is no connection."""
    google.tokens = http({name: value for name, value in TOKENS.items() if name != "refresh_token"})

    with pytest.raises(ConnectorError, match="nothing was connected") as caught:
        await connector.exchange(session, ATTEMPT, "4/code")

    assert caught.value.code == "no_refresh_token"


async def test_what_was_granted_is_told(connector, google, session):
    """A box that was not ticked is missing from the scopes."""
    google.tokens = http(TOKENS | {"scope": READ})

    assert (await connector.exchange(session, ATTEMPT, "4/code")).scopes == (READ,)


async def test_a_grant_that_tells_nothing_is_no_connection(connector, google, session):
    """With no box ticked not even the account is known."""
    google.tokens = http(TOKENS | {"scope": ""})
    error = {"errors": [{"reason": "insufficientPermissions"}], "code": 403, "message": "no"}
    google.calendar = http({"error": error}, 403)

    with pytest.raises(ConnectorError, match="ticked") as caught:
        await connector.exchange(session, ATTEMPT, "4/code")

    assert caught.value.code == "nothing_granted"


REFUSALS = [
    (400, {"error": "invalid_grant", "error_description": "raw text"}, Reconnect),
    (401, {"error": "invalid_client", "error_description": "raw text"}, Misconfigured),
    (400, {"error": "redirect_uri_mismatch"}, Misconfigured),
    (400, {"error": "unauthorized_client"}, Misconfigured),
]


@pytest.mark.parametrize(("status", "body", "reaction"), REFUSALS)
async def test_refusals_of_the_token_endpoint(status, body, reaction, connector, google, session, stored):
    """Only invalid_grant is about the user; a client that is refused blames the settings, by name."""
    google.tokens = http(body, status)

    for work in (connector.exchange(session, ATTEMPT, "4/canary"), connector.refresh(stored)):
        with pytest.raises(reaction) as caught:
            await work
        assert "canary" not in str(caught.value)
        assert "raw text" not in str(caught.value)
        assert reaction is not Misconfigured or "SYNCLINE_GOOGLE_CLIENT_ID" in str(caught.value)
    assert len(forms(google)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        http({}, 503),
        http({}, 500),
        http({}, 429),
        http(b"<html>"),
        http({"token_type": "Bearer"}),
        http({"error": "invalid_request"}, 400),
        http(b"", 302, location="http://127.0.0.1:9/"),
        http(b"not found", 404),
        b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nconnection: close\r\n\r\n{",
    ],
)
async def test_any_other_answer_is_tried_later(answer, connector, google, stored):
    """And sent once: who knows whether it was spent."""
    google.tokens = answer

    with pytest.raises(TryLater):
        await connector.refresh(stored)

    assert len(forms(google)) == 1


async def test_a_code_is_never_sent_twice(connector, google, session):
    """Not even when the answer is lost."""
    google.tokens = http({}, 503)

    with pytest.raises((TryLater, Broken)):
        await connector.exchange(session, ATTEMPT, "4/code")

    assert len(forms(google)) == 1


async def test_a_refresh_asks_for_what_was_granted(connector, google, stored):
    """Without a scope, and the refresh token stays when no other comes."""
    google.tokens = http({"access_token": "ya29.new", "expires_in": 3599})

    renewed = await connector.refresh(stored)

    assert renewed == {**stored.credentials, "access_token": "ya29.new", "expires_at": renewed["expires_at"]}
    assert int(renewed["expires_at"]) > time.time() + 3000
    (form,) = forms(google)
    assert set(form) == {"grant_type", "refresh_token", "client_id", "client_secret"}


@pytest.mark.parametrize(("days", "told"), [(1, False), (6, False), (7.01, True), (7.9, True), (30, False)])
async def test_seven_days_are_named(days, told, connector, google, stored):
    """Access that ends a week after consent ends because the application is still in testing."""
    google.tokens = http({"error": "invalid_grant"}, 400)
    granted = {"granted_at": str(int(time.time() - days * 86_400))}
    stored = dataclasses.replace(stored, credentials={**stored.credentials, **granted})

    with pytest.raises(Reconnect) as caught:
        await connector.refresh(stored)

    assert ("seven days" in str(caught.value)) is told


@pytest.mark.parametrize("answer", [http({}), http({"error": "invalid_token"}, 400)])
async def test_a_grant_is_revoked(answer, connector, google, stored):
    """By its refresh token; one that was revoked before is done too."""
    google.tokens = answer

    await connector.revoke(stored)

    assert forms(google) == [{"token": "1//canary"}]


def test_both_connectors_of_an_account_rest_on_one_grant(connector):
    """Google revokes all that an account granted to an application, so the key is the account's."""
    account = dataclasses.replace(_account(), external_account_id="Me@Example.com")

    assert connector.grant_key(account) == "google me@example.com"


def _account():
    from connectors.base import Account

    return Account(HOME, "Me")


@pytest.mark.parametrize("name", ["CLIENT_ID", "CLIENT_SECRET"])
def test_what_is_missing_is_named(name, connector, google, monkeypatch):
    """A sentence with the variable, before anybody is sent away."""
    connector.check_settings()
    monkeypatch.setenv(f"SYNCLINE_GOOGLE_{name}", " ")

    with pytest.raises(Misconfigured, match=f"SYNCLINE_GOOGLE_{name}"):
        connector.check_settings()


@pytest.mark.parametrize("name", ["AUTHORIZE_URL", "TOKEN_URL", "REVOKE_URL", "JWKS_URL"])
@pytest.mark.parametrize("value", ["canary", "http://example.com/canary", "https://example.com/a?canary=1", "ftp://x/"])
def test_an_address_must_be_one(value, name, connector, google, monkeypatch):
    """The sentence names the variable and never its value."""
    monkeypatch.setenv(f"SYNCLINE_GOOGLE_{name}", value)

    with pytest.raises(Misconfigured, match=f"SYNCLINE_GOOGLE_{name}") as caught:
        connector.check_settings()

    assert "canary" not in str(caught.value)


async def test_every_request_is_in_the_book(connector, google, session, records):
    """By route alone: neither code nor token."""
    await connector.exchange(session, ATTEMPT, "4/code")

    assert [(record.method, record.route, record.status) for record in records] == [
        ("POST", "/token", 200),
        ("GET", "/calendar/v3/calendars/{calendarId}", 200),
    ]
    assert "4/code" not in json.dumps([str(record) for record in records])
