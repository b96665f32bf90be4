"""Where the values of a JSON text begin and end, found on its bytes.

For what a parser refuses: nesting a hundred thousand deep, NaN, bytes that are not UTF-8, numbers beyond all bounds.
Nothing is converted and nothing recurses, so what is cut out is exactly what was sent.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from connectors.answers import UnparsableError

Span = tuple[int, int]

_BLANK = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\[\]{}:\"]+")
_MARK = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}"]', re.DOTALL)
_CLOSES = {ord("}"): ord("{"), ord("]"): ord("[")}
_BOM = b"\xef\xbb\xbf"


def whole(body: bytes) -> Span:
    """The one value that the body consists of, beside blanks and a byte order mark."""
    begin = _blank(body, len(_BOM) if body.startswith(_BOM) else 0)
    end = _value_end(body, begin)
    if _blank(body, end) != len(body):
        raise UnparsableError
    return begin, end


def members(body: bytes, span: Span) -> Iterator[tuple[str, Span]]:
    """The keys and values of the object at *span*, in their order."""
    for begin, end in _items(body, span, b"{", b"}"):
        key = _STRING.match(body, begin, end)
        if not key:
            raise UnparsableError
        colon = _blank(body, key.end())
        if body[colon : colon + 1] != b":":
            raise UnparsableError
        yield _text(key[0]), (_blank(body, colon + 1), end)


def elements(body: bytes, span: Span) -> Iterator[Span]:
    """The elements of the array at *span*, in their order."""
    return _items(body, span, b"[", b"]")


def at(body: bytes, *path: str) -> Any:
    """The string, number, true, false or null at *path*; None where there is nothing of the kind, or nothing at all."""
    try:
        span = whole(body)
        for step in path:
            span = dict(members(body, span))[step]
        return None if body[span[0]] in b"[{" else json.loads(body[span[0] : span[1]])
    except (UnparsableError, KeyError, ValueError):
        return None


def _items(body: bytes, span: Span, opening: bytes, closing: bytes) -> Iterator[Span]:
    begin, end = span
    if body[begin : begin + 1] != opening or body[end - 1 : end] != closing:
        raise UnparsableError
    at, last = _blank(body, begin + 1), end - 1
    while at < last:
        item_end = _value_end(body, at)
        if opening == b"{":
            item_end = _value_end(body, _blank(body, _blank(body, item_end) + 1))
        yield at, item_end
        at = _blank(body, item_end)
        if at < last:
            after_comma = _blank(body, at + 1)
            if body[at : at + 1] != b"," or after_comma >= last:
                raise UnparsableError
            at = after_comma


def _value_end(body: bytes, begin: int) -> int:
    first = body[begin : begin + 1]
    if first in {b"{", b"["}:
        return _nest_end(body, begin)
    found = (_STRING if first == b'"' else _SCALAR).match(body, begin)
    if not found:
        raise UnparsableError
    return found.end()


def _nest_end(body: bytes, begin: int) -> int:
    open_marks = bytearray()
    for mark in _MARK.finditer(body, begin):
        byte = body[mark.start()]
        if byte in b"{[":
            open_marks.append(byte)
        elif byte in _CLOSES:
            if open_marks.pop() != _CLOSES[byte]:
                raise UnparsableError
            if not open_marks:
                return mark.end()
        elif mark.end() - mark.start() == 1:  # a quotation mark that nothing closes
            raise UnparsableError
    raise UnparsableError


def _blank(body: bytes, begin: int) -> int:
    found = _BLANK.match(body, begin)
    return found.end() if found else begin


def _text(raw: bytes) -> str:
    try:
        return str(json.loads(raw, strict=False))
    except ValueError:  # not UTF-8: still a name, and never one that we look for
        return raw[1:-1].decode("utf-8", "replace")
