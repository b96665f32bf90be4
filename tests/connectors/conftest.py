"""A provider of a few lines on a real socket, and a client that speaks to it with little patience."""

import asyncio
import inspect
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

import pytest

from connectors.registry import get
from connectors.retry import Patience, set_patience
from connectors.session import Session

SECRET = "sk_test_canary0123456789"


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float
    body: bytes = b""


@dataclass
class LittleProvider:
    """Answers with whatever `answer` says: bytes as they go over the wire, or a coroutine that writes them itself."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    answer: Callable = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def talk(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.split("\r\n")
                method, target, _ = first.split(" ")
                path, _, query = target.partition("?")
                headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                asked = Asked(method, unquote(path), dict(parse_qsl(query)), headers, time.monotonic(), body)
                self.asked.append(asked)
                said = self.answer(asked, writer) if len(inspect.signature(self.answer).parameters) == 2 else None
                said = await said if isinstance(said, Awaitable) else self.answer(asked)
                if said is None:
                    break
                writer.write(said)
                await writer.drain()
                if b"connection: close" in said.lower():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def http(body, status=200, **headers):
    """An answer as it goes over the wire; anything but bytes is sent as JSON."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"content-type": "application/json", "date": "Wed, 25 Nov 2026 10:00:00 GMT", "content-length": len(body)}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body


def page(records, *, more=False):
    return http({"object": "list", "data": records, "has_more": more, "url": "/v1/whatever"})


def refusal(status, code, **error):
    return http(
        {"error": {"type": "invalid_request_error", "code": code, "message": f"{SECRET} raw text", **error}}, status
    )


@dataclass
class OpenThrottle:
    """Lets everything pass and remembers what it was asked."""

    taken: list = field(default_factory=list)
    paused: list = field(default_factory=list)

    async def take(self, buckets, deadline):
        self.taken.append([bucket.name for bucket in buckets])

    async def pause(self, buckets, seconds):
        self.paused.append(([bucket.name for bucket in buckets], seconds))


@pytest.fixture(autouse=True)
def little_patience():
    set_patience(Patience(attempt=5, budget=0.2, first_wait=0.01, longest_wait=0.02))
    yield
    set_patience()


@pytest.fixture
async def provider(monkeypatch):
    little = LittleProvider(answer=lambda asked: page([]))
    server = await asyncio.start_server(little.talk, "127.0.0.1", 0)
    little.port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", little.url)
    yield little
    server.close()
    await asyncio.sleep(0)


@pytest.fixture
def throttle():
    return OpenThrottle()


@pytest.fixture
def records():
    return []


@pytest.fixture
def stripe():
    return get("stripe")


@pytest.fixture
def session(throttle, records):
    return Session({"api_key": SECRET}, "acct_1:test", "test", throttle, records.append, time.monotonic() + 30)


@pytest.fixture
async def client(stripe, session, provider):
    async with stripe.open(session) as opened:
        yield opened


async def collect(pages):
    return [page async for page in pages]
