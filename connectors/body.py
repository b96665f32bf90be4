"""The body of an answer: decoded as it arrives, counted as it is decoded, never more than the cap."""

import zlib
from collections.abc import AsyncIterable

CAP = 64 * 1024 * 1024
"""The largest decoded body that is read; a page of 100 records has about 0.2 MB."""

_PIECE = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class TooLargeError(Exception):
    """The body is larger than the cap."""


class CutShortError(Exception):
    """The body ended, or went astray, before its own end."""


async def read_body(chunks: AsyncIterable[bytes], encoding: str) -> bytes:
    """The whole decoded body; TooLargeError past the cap, CutShortError when its compression has no proper end."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return await _plain(chunks)
    if encoding in {"gzip", "x-gzip"}:
        return await _gzip(chunks)
    raise CutShortError  # an encoding that we did not ask for


async def _plain(chunks: AsyncIterable[bytes]) -> bytes:
    got: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > CAP:
            raise TooLargeError
        got.append(chunk)
    return got[0] if len(got) == 1 else b"".join(got)


async def _gzip(chunks: AsyncIterable[bytes]) -> bytes:
    unpack = _Gunzip()
    async for chunk in chunks:
        unpack.feed(chunk)
    return unpack.finish()


class _Gunzip:
    """Unpacks gzip in small pieces, so that a bomb costs no more than the cap."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)
        self._got: list[bytes] = []
        self._size = 0
        self._fed = False

    def feed(self, data: bytes) -> None:
        while data:
            if self._stream.eof:  # gzip may hold several members, one after the other
                self._stream = zlib.decompressobj(_GZIP)
            self._fed = True
            try:
                piece = self._stream.decompress(data, _PIECE)
            except zlib.error:
                raise CutShortError from None
            self._size += len(piece)
            if self._size > CAP:
                raise TooLargeError
            self._got.append(piece)
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def finish(self) -> bytes:
        if self._fed and not self._stream.eof:
            tail = self._stream.flush()
            self._size += len(tail)
            if self._size > CAP:
                raise TooLargeError
            if not self._stream.eof:
                raise CutShortError
            self._got.append(tail)
        return b"".join(self._got)
