"""A workspace of a few lines behind a real socket, and a client that reads it."""

import asyncio
import time

import pytest

from connectors.registry import get
from connectors.session import Session
from tests.connectors.conftest import LittleProvider
from tests.connectors.slack.workspace import Workspace

TOKEN = "xoxb-canary-0123456789"


@pytest.fixture
def slack():
    return get("slack")


@pytest.fixture
async def provider(monkeypatch):
    little = LittleProvider()
    server = await asyncio.start_server(little.talk, "127.0.0.1", 0)
    little.port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("SYNCLINE_SLACK_API_URL", little.url)
    monkeypatch.setenv("SYNCLINE_SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SYNCLINE_SLACK_CLIENT_SECRET", "canary-client-secret")
    yield little
    server.close()
    await asyncio.sleep(0)


@pytest.fixture
def workspace(provider):
    made = Workspace()
    provider.answer = made.answer
    return made


@pytest.fixture
def plenty(monkeypatch):
    """So much is allowed that everything is looked through each time."""
    limit = '{"units": 1000000, "per_seconds": 1}'
    monkeypatch.setenv(
        "SYNCLINE_SLACK_RATE_LIMITS", f'{{"conversations.history": {limit}, "conversations.replies": {limit}}}'
    )


@pytest.fixture
def session(throttle, records):
    return Session({"access_token": TOKEN}, "T1 live", "live", throttle, records.append, time.monotonic() + 30)


@pytest.fixture
async def client(slack, session, provider):
    async with slack.open(session) as opened:
        yield opened
