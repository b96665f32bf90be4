"""Request bodies: whole, in time, and not larger than anybody needs."""

import asyncio
from typing import Any

from starlette.types import Message, Receive

from web.problems import Problem

LARGEST = 1 << 20
BEYOND = 1 << 16
"""So much more is read, and dropped, before a larger body is refused: who is still sending would not see the answer."""
SECONDS = 15.0


async def whole(receive: Receive, said_length: str | None) -> Receive:
    """The same request with its body read. Problem when it is too large or comes too slowly."""
    if said_length and (not said_length.isdecimal() or int(said_length) > LARGEST + BEYOND):
        raise _too_large()
    try:
        async with asyncio.timeout(SECONDS):
            body = await _read(receive)
    except TimeoutError:
        raise Problem(
            408, "too_slow", f"The body did not come within {SECONDS:.0f} s.", "Send it again.", {"Connection": "close"}
        ) from None
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message: dict[str, Any] = dict(await receive())
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        over = len(body) > LARGEST
        if len(body) > LARGEST + BEYOND or (over and not message.get("more_body")):
            raise _too_large()
        if not message.get("more_body"):
            return bytes(body)


class Disconnected(Exception):
    """Whoever asked has gone: there is nobody to answer."""


def _too_large() -> Problem:
    return Problem(
        413, "too_large", f"The body is larger than {LARGEST:,} bytes.", "Send less.", {"Connection": "close"}
    )
