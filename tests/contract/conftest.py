"""Every connector by its name, each with an account at the sandbox to be tried on."""

import asyncio
import importlib
import time
from dataclasses import dataclass, field

import pytest

from connectors.registry import find_connectors, get
from connectors.retry import Patience, set_patience
from connectors.session import Session

CONNECTORS = sorted(find_connectors())
STREAMS = [(name, stream.name) for name in CONNECTORS for stream in get(name).streams]


@dataclass
class OpenThrottle:
    """Lets everything pass and counts; a pause is kept as any throttle would, up to the deadline."""

    taken: list = field(default_factory=list)
    paused: list = field(default_factory=list)

    async def take(self, buckets, deadline):
        self.taken.append(tuple(buckets))

    async def pause(self, buckets, seconds):
        self.paused.append((tuple(buckets), seconds))
        await asyncio.sleep(min(seconds, 0.01))


@pytest.fixture(autouse=True)
def little_patience():
    set_patience(Patience(attempt=10, budget=0.3, first_wait=0.01, longest_wait=0.05))
    yield
    set_patience()


@pytest.fixture(params=CONNECTORS)
def connector(request):
    return get(request.param)


@pytest.fixture
def account(connector, sandbox, monkeypatch):
    made = importlib.import_module(f"tests.contract.accounts.{connector.name}").Account(sandbox)
    for name, value in made.settings.items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


@pytest.fixture
def throttle():
    return OpenThrottle()


@pytest.fixture
def records():
    return []


@pytest.fixture
async def client(connector, account, throttle, records):
    scope = f"{account.external_account_id}:{account.mode}"
    deadline = time.monotonic() + 60
    session = Session(
        account.credentials, scope, account.mode, throttle, records.append, deadline, frozenset(account.scopes)
    )
    async with connector.open(session) as opened:
        yield opened
