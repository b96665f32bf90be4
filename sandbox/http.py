"""A small HTTP/1.1 server whose answers may go wrong on purpose.

h11 reads the requests. Answers are written by `sandbox.wire`, because no web framework lets a body be cut, reset or
left without an end.
"""

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

import h11

from sandbox import wire
from sandbox.wire import Answer

BODY_LIMIT = 512 * 1024 * 1024  # control calls load a great deal at once


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Which client connection it came over: two requests with one number shared a socket."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What the handler found out on the way, for the ledger."""

    @property
    def params(self) -> list[tuple[str, str]]:
        """The query's names and values in their order."""
        return parse_qsl(self.query, keep_blank_values=True)


Handler = Callable[[Request], Awaitable[Answer]]
_connections = itertools.count(1)


async def serve(handler: Handler, host: str, port: int) -> asyncio.Server:
    """A server that listens already and answers every request by *handler*."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(_connections)
        # A client that leaves, or speaks something else, ends its own connection; so does the end of the process.
        with contextlib.suppress(ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
            try:
                async for request in _requests(reader, number):
                    answer = await handler(request)
                    keep = request.headers.get("connection", "").lower() != "close"
                    if not await wire.send(writer, answer, keep=keep):
                        break
            finally:
                writer.close()
                await writer.wait_closed()

    return await asyncio.start_server(talk, host, port, backlog=1024)


async def _requests(reader: asyncio.StreamReader, number: int) -> AsyncIterator[Request]:
    """Each request of one connection, read whole."""
    left_over = b""
    while True:
        # A fresh parser per request: it need not know what we answered, or how badly.
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=256 * 1024)
        if left_over:
            parser.receive_data(left_over)
        request = await _read(parser, reader, number)
        if request is None:
            return
        left_over = bytes(parser.trailing_data[0])
        yield request


async def _read(parser: h11.Connection, reader: asyncio.StreamReader, number: int) -> Request | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            parser.receive_data(await reader.read(256 * 1024))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_LIMIT:
                return None
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _request(head, bytes(body), number)
        else:
            return None


def _request(head: h11.Request, body: bytes, number: int) -> Request:
    target = head.target.decode("latin-1")
    path, _, query = target.partition("?")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    # A slash inside a name is not one between two names.
    plain = "%2F".join(unquote(part) for part in re.split("%2[fF]", path))
    return Request(head.method.decode(), plain, query, headers, body, number)
