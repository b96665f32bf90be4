"""Where the values of a JSON text begin and end, found on its bytes.

For what a parser refuses: nesting a hundred thousand deep, NaN, bytes that are not UTF-8, numbers beyond all bounds.
Nothing is converted and nothing recurses, so what is cut out is exactly what was sent.
"""

import json
import re
from typing import Any

from connectors.answers import UnparsableError

Span = tuple[int, int]

_BLANK = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\[\]{}:\"]+")
_MARK = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}"]', re.DOTALL)
_CLOSES = {ord("}"): ord("{"), ord("]"): ord("[")}
_BOM = b"\xef\xbb\xbf"


def document(body: bytes) -> dict[str, Span]:
    """The members of the one object that the body consists of, beside blanks and a byte order mark."""
    begin = _blank(body, len(_BOM) if body.startswith(_BOM) else 0)
    found, end = _members(body, begin)
    if _blank(body, end) != len(body):
        raise UnparsableError
    return found


def members(body: bytes, span: Span) -> dict[str, Span]:
    """Where the values of the object at *span* are, by their keys; of a key that comes twice the last one."""
    return _members(body, span[0])[0]


def elements(body: bytes, span: Span) -> list[Span]:
    """Where the elements of the array at *span* are."""
    return _items(body, span[0], b"[", b"]")[0]


def cut(body: bytes) -> dict[str, bytes]:
    """The members of the object that *body* is, each as it was sent; nothing when it is none."""
    try:
        return {name: body[begin:end] for name, (begin, end) in document(body).items()}
    except UnparsableError:
        return {}


def scalar(raw: bytes) -> Any:
    """The string, number, true, false or null that *raw* is; None when it is anything else."""
    if raw[:1] in {b"[", b"{"}:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return None


def scalars(body: bytes, *path: str) -> dict[str, Any]:
    """The plain members of the object at *path*; nothing when there is no such object."""
    try:
        found = document(body)
        for step in path:
            found = members(body, found[step])
    except (UnparsableError, KeyError):
        return {}
    return {name: scalar(body[begin:end]) for name, (begin, end) in found.items() if body[begin] not in b"[{"}


def _members(body: bytes, begin: int) -> tuple[dict[str, Span], int]:
    items, end = _items(body, begin, b"{", b"}")
    found: dict[str, Span] = {}
    for item, item_end in items:
        key = _STRING.match(body, item)
        if not key:
            raise UnparsableError
        found[_text(key[0])] = (_blank(body, _blank(body, key.end()) + 1), item_end)
    return found, end


def _items(body: bytes, begin: int, opening: bytes, closing: bytes) -> tuple[list[Span], int]:
    """What stands between the commas of the object or array that begins at *begin*, and where that ends."""
    if body[begin : begin + 1] != opening:
        raise UnparsableError
    found: list[Span] = []
    at = _blank(body, begin + 1)
    if body[at : at + 1] == closing:
        return found, at + 1
    while True:
        end = _value_end(body, at) if opening == b"[" else _member_end(body, at)
        found.append((at, end))
        at = _blank(body, end)
        if body[at : at + 1] == closing:
            return found, at + 1
        if body[at : at + 1] != b",":
            raise UnparsableError
        at = _blank(body, at + 1)


def _member_end(body: bytes, begin: int) -> int:
    colon = _blank(body, _value_end(body, begin))
    if body[colon : colon + 1] != b":":
        raise UnparsableError
    return _value_end(body, _blank(body, colon + 1))


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
