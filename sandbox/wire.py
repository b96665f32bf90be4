"""How an answer goes on the wire: properly, or broken in one of the ways that real networks and proxies break it."""

import asyncio
import gzip
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

CHUNK = 64 * 1024


@dataclass(slots=True)
class Answer:
    """A status, headers and a body, and the manner in which they are sent."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = "whole"
    options: dict[str, Any] = field(default_factory=dict)


async def send(writer: asyncio.StreamWriter, answer: Answer, *, keep: bool) -> bool:
    """Write *answer* in its manner; True if the connection can take another request."""
    if answer.manner == "whole":
        end = "keep-alive" if keep else "close"
        writer.write(head(answer, {"Content-Length": str(len(answer.body)), "Connection": end}) + answer.body)
        await writer.drain()
        return keep
    await MANNERS[answer.manner](writer, answer)
    return False


def head(answer: Answer, framing: dict[str, str]) -> bytes:
    """The status line and the headers."""
    reason = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else "Unknown"
    fields = "".join(f"{name}: {value}\r\n" for name, value in (answer.headers | framing).items())
    return f"HTTP/1.1 {answer.status} {reason}\r\n{fields}\r\n".encode("latin-1")


async def _cut_length(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Content-Length promises the whole body; half of it comes."""
    writer.write(head(answer, {"Content-Length": str(len(answer.body))}) + _half(answer.body))
    await writer.drain()


async def _cut_chunked(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """One chunk, and no last chunk."""
    part = _half(answer.body)
    writer.write(head(answer, {"Transfer-Encoding": "chunked"}) + b"%x\r\n%s\r\n" % (len(part), part))
    await writer.drain()


async def _cut_gzip(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """The framing is right, the gzip stream inside ends early: many clients take it for a whole body."""
    part = _cut_stream(answer.body)
    framing = {"Content-Encoding": "gzip", "Content-Length": str(len(part)), "Connection": "close"}
    writer.write(head(answer, framing) + part)
    await writer.drain()


async def _cut_close(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Neither length nor chunks: the end of the connection is the end of the body, and it comes early."""
    writer.write(head(answer, {"Connection": "close"}) + _half(answer.body))
    await writer.drain()


async def _close_delimited(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """A whole body that ends with the connection: unusual, and correct."""
    writer.write(head(answer, {"Connection": "close"}) + answer.body)
    await writer.drain()


async def _slow(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """So many bytes a second, one a second unless told otherwise."""
    rate = float(answer.options.get("bytes_per_second", 1))
    step = max(1, round(rate / 10))
    writer.write(head(answer, {"Content-Length": str(len(answer.body))}))
    for start in range(0, len(answer.body), step):
        writer.write(answer.body[start : start + step])
        await writer.drain()
        await asyncio.sleep(step / rate)


async def _reset(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Half a body, then a reset."""
    writer.write(head(answer, {"Content-Length": str(len(answer.body))}) + _half(answer.body))
    await writer.drain()
    await asyncio.sleep(0.02)  # let it reach the client: a reset throws away what is still in its buffers
    _abort(writer)


async def _reset_before(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """A reset instead of an answer."""
    del answer
    _abort(writer)


async def _drop(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """The connection ends in good order, without an answer."""
    del writer, answer


async def _hang(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Silence, for as long as was asked."""
    await asyncio.sleep(float(answer.options.get("seconds", 3600)))
    writer.write(head(answer, {"Content-Length": str(len(answer.body)), "Connection": "close"}) + answer.body)
    await writer.drain()


async def _pause(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Half a body, silence, then the rest: time to do something to the client meanwhile."""
    part = _half(answer.body)
    writer.write(head(answer, {"Content-Length": str(len(answer.body)), "Connection": "close"}) + part)
    await writer.drain()
    await asyncio.sleep(float(answer.options.get("seconds", 30)))
    writer.write(answer.body[len(part) :])
    await writer.drain()


async def _bomb(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """A small gzip body that unpacks to a gigabyte, unless another size is asked for."""
    size = int(answer.options.get("bytes", 1024**3))
    framing = {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked", "Connection": "close"}
    await _chunks(writer, answer, framing, _packed(size))


async def _big(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """A page of 200 MB, unless another size is asked for: the answer, followed by white space."""
    size = int(answer.options.get("bytes", 200 * 1024**2))
    blank = b" " * CHUNK
    parts = (answer.body, *(blank for _ in range(max(0, size - len(answer.body)) // CHUNK)))
    await _chunks(writer, answer, {"Transfer-Encoding": "chunked", "Connection": "close"}, iter(parts))


async def _chunks(
    writer: asyncio.StreamWriter, answer: Answer, framing: dict[str, str], parts: Iterator[bytes]
) -> None:
    writer.write(head(answer, framing))
    for part in parts:
        writer.write(b"%x\r\n%s\r\n" % (len(part), part))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _packed(size: int) -> Iterator[bytes]:
    packer = zlib.compressobj(9, wbits=31)
    block = b" " * 1024**2
    for _ in range(size // len(block)):
        if part := packer.compress(block):
            yield part
    yield packer.flush()


def _cut_stream(body: bytes) -> bytes:
    """A gzip stream that unpacks to a part of *body*: cut on a flush, so that what comes is usable and looks whole."""
    packer = zlib.compressobj(wbits=31)
    half = _half(body)
    return packer.compress(half) + packer.flush(zlib.Z_FULL_FLUSH)


def packed(body: bytes) -> bytes:
    """*body* as gzip."""
    return gzip.compress(body, 1)


def _half(body: bytes) -> bytes:
    return body[: max(1, len(body) // 2)] if body else b""


def _abort(writer: asyncio.StreamWriter) -> None:
    """Close with a reset: no lingering, no polite end."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


MANNERS: dict[str, Callable[[asyncio.StreamWriter, Answer], Awaitable[None]]] = {
    "cut_length": _cut_length,
    "cut_chunked": _cut_chunked,
    "cut_gzip": _cut_gzip,
    "cut_close": _cut_close,
    "close_delimited": _close_delimited,
    "slow": _slow,
    "reset": _reset,
    "reset_before": _reset_before,
    "drop": _drop,
    "hang": _hang,
    "pause": _pause,
    "bomb": _bomb,
    "big": _big,
}
