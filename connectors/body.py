"""The body of an answer: decoded as it arrives, counted as it is decoded, never more than the cap."""

import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

CAP = 64 * 1024 * 1024
"""The largest decoded body that is read; a page of 100 records has about 0.2 MB."""

LARGE = 4 * 1024 * 1024
"""Of bodies larger than this a client reads one at a time, so that many readers cannot hold many caps."""

_PIECE = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class TooLargeError(Exception):
    """The body is larger than the cap."""


class CutShortError(Exception):
    """The body ended, or went astray, before its own end."""


async def read_body(chunks: AsyncIterable[bytes], encoding: str, large: AbstractAsyncContextManager[Any]) -> bytes:
    """The whole decoded body; TooLargeError past the cap, CutShortError when its compression has no proper end.

    What is large is read on inside *large*.
    """
    unpack = _unpacker(encoding.strip().lower())
    got: list[bytes] = []
    size = 0
    async with AsyncExitStack() as held:
        async for piece in _unpacked(chunks, unpack):
            before, size = size, size + len(piece)
            if size > CAP:
                raise TooLargeError
            if before <= LARGE < size:
                await held.enter_async_context(large)
            got.append(piece)
        return b"".join(got)


async def _unpacked(chunks: AsyncIterable[bytes], unpack: "_Plain | _Gunzip") -> AsyncIterator[bytes]:
    async for chunk in chunks:
        for piece in unpack.feed(chunk):
            yield piece
    yield unpack.finish()


def _unpacker(encoding: str) -> "_Plain | _Gunzip":
    if encoding in {"", "identity"}:
        return _Plain()
    if encoding in {"gzip", "x-gzip"}:
        return _Gunzip()
    raise CutShortError  # an encoding that we did not ask for


class _Plain:
    """Bytes as they come."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> bytes:
        return b""  # where a plain body ends is the transport's to say


class _Gunzip:
    """Unpacks gzip in small pieces, so that a bomb costs no more than the cap."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)
        self._fed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream.eof:  # gzip may hold several members, one after the other
                self._stream = zlib.decompressobj(_GZIP)
            self._fed = True
            try:
                piece = self._stream.decompress(data, _PIECE)
            except zlib.error:
                raise CutShortError from None
            yield piece
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def finish(self) -> bytes:
        """What is still held back; CutShortError unless the last member is whole."""
        if not self._fed or self._stream.eof:
            return b""
        tail = self._stream.flush()
        if not self._stream.eof:
            raise CutShortError
        return tail
