"""The members of an object, each as it was sent; a text that a parser refuses is looked through on its bytes."""

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors import spans
from connectors.answers import UnparsableError

Members = Mapping[str, bytes]

_raws = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def cut(body: bytes) -> Members:
    """The object's members; none of what is no object."""
    if not body:
        return {}
    try:
        return {name: bytes(raw) for name, raw in _raws(body).items()}
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return spans.cut(body)


def inner(members: Members, name: str) -> Members:
    """The members of the object that stands there."""
    return cut(members.get(name, b""))


def plain(members: Members, name: str) -> Any:
    """The text, number or flag that stands there."""
    return spans.scalar(members[name]) if name in members else None


def elements(members: Members, name: str) -> list[bytes]:
    """What stands in the array there."""
    raw = members.get(name, b"")
    try:
        return [raw[begin:end] for begin, end in spans.elements(raw, (0, len(raw)))]
    except UnparsableError:
        return []
