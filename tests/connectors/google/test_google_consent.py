"""The whole way through the sandbox's consent page: out, back, renewed and revoked."""

import dataclasses
import secrets
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import AccessExpired, ConnectorError, Reconnect
from connectors.google_calendar.api import list_events
from connectors.oauth import Attempt
from connectors.registry import get
from connectors.session import Session

REDIRECT = "http://127.0.0.1:8000/connect/google_calendar/callback"
READ, WRITE = (f"https://www.googleapis.com/auth/calendar.{name}" for name in ("readonly", "events"))


@pytest.fixture
def connector(google, monkeypatch):
    google.unlimited()
    google.setup(redirect_uris=[REDIRECT])
    for name, value in google.environment().items():
        monkeypatch.setenv(name, value)
    return get("google_calendar")


@pytest.fixture
def session(throttle, records):
    return Session({}, "", "live", throttle, records.append, time.monotonic() + 30)


@pytest.fixture
def attempt():
    return Attempt(REDIRECT, secrets.token_urlsafe(), secrets.token_urlsafe(48))


def back(google, connector, attempt, **how):
    """What the browser comes back with."""
    url = urlsplit(google.walk_consent(connector.authorize_url(attempt), **how))
    return {name: values[0] for name, values in parse_qs(url.query).items()}


async def test_out_and_back(google, connector, session, attempt):
    """The grant reads the account's calendar, is renewed, and is worth nothing once revoked."""
    came = back(google, connector, attempt)
    assert came["state"] == attempt.state

    grant = await connector.exchange(session, attempt, came["code"])
    assert grant.account.external_account_id == google.email
    assert set(grant.scopes) == {READ, WRITE}

    held = dataclasses.replace(session, credentials=grant.credentials)
    renewed = await connector.refresh(held)
    assert renewed["access_token"] != grant.credentials["access_token"]
    assert renewed["refresh_token"] == grant.credentials["refresh_token"]

    fresh = dataclasses.replace(session, credentials=renewed)
    async with connector.open(fresh) as client:
        await list_events(client, google.email, None, None)
        await connector.revoke(fresh)
        await connector.revoke(fresh)
        with pytest.raises(AccessExpired):
            await list_events(client, google.email, None, None)
    with pytest.raises(Reconnect):
        await connector.refresh(fresh)


async def test_a_code_is_good_for_one_use_and_its_own_verifier(google, connector, session, attempt):
    """A second use, and another verifier, connect nothing."""
    code = back(google, connector, attempt)["code"]
    with pytest.raises(ConnectorError):
        await connector.exchange(session, dataclasses.replace(attempt, verifier="w" * 60), code)

    again = back(google, connector, attempt)["code"]
    await connector.exchange(session, attempt, again)
    with pytest.raises(ConnectorError):
        await connector.exchange(session, attempt, again)


async def test_a_box_left_empty(google, connector, session, attempt):
    """What was not granted is not among the scopes; without the right to read nothing is connected."""
    came = back(google, connector, attempt, without=(WRITE,))
    assert (await connector.exchange(session, attempt, came["code"])).scopes == (READ,)

    came = back(google, connector, attempt, without=(READ,))
    with pytest.raises(ConnectorError) as caught:
        await connector.exchange(session, attempt, came["code"])
    assert caught.value.code == "nothing_granted"


def test_a_user_who_says_no(google, connector, attempt):
    """The browser comes back with Google's word for it and without a code."""
    came = back(google, connector, attempt, allow=False)

    assert came["error"] == "access_denied"
    assert "code" not in came
