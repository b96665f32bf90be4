"""An action that certainly was not sent: nobody listens, no secure connection, too many requests."""

import asyncio
from uuid import uuid4

import pytest

from connectors.errors import Unsent
from connectors.retry import Patience, set_patience


@pytest.fixture(autouse=True)
def little_patience():
    """Retries without much waiting."""
    set_patience(Patience(attempt=5, budget=0.3, first_wait=0.02, longest_wait=0.1))
    yield
    set_patience()


@pytest.fixture
async def no_tls():
    """An https address behind which nobody speaks TLS."""

    async def talk(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("where", ["refused", "no tls"])
async def test_no_connection(stage, act, rows, monkeypatch, no_tls, where):
    """A refused connection and a failed handshake are certainly unsent; the same key may try again."""
    right = stage.environment[stage.address]
    monkeypatch.setenv(stage.address, "http://127.0.0.1:9" if where == "refused" else no_tls)
    body, key = stage.body(), uuid4().hex

    with pytest.raises(Unsent):
        await act(body, key)

    assert stage.done(body) == 0
    assert rows("SELECT id FROM syncline.action") == []
    monkeypatch.setenv(stage.address, right)
    assert (await act(body, key)).status == "succeeded"
    assert stage.done(body) == 1


async def test_too_many_requests(stage, act, rows):
    """A 429 is certainly unsent: retried where that is safe, else said so with the time to wait; never done twice."""
    body, key = stage.body(), uuid4().hex
    stage.fault("status", status=429, retry_after=1)

    unsent = await refusal(act, body, key)
    if unsent is not None:
        assert unsent.seconds is not None
        assert stage.done(body) == 0
        assert rows("SELECT id FROM syncline.action") == []
    said = await act(body, key)

    assert said.status == "succeeded"
    assert stage.done(body) == 1


async def refusal(act, body, key):
    """Why it was not sent; None if it was done all the same, after a wait."""
    try:
        await act(body, key)
    except Unsent as unsent:
        return unsent
    return None
