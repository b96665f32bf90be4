"""Page and sync tokens: opaque to whoever gets them, and good only for what they were made for."""

import base64
import binascii
from typing import Any

import orjson


def pack(kind: str, *parts: Any) -> str:
    """A token of that kind that says all this."""
    return base64.urlsafe_b64encode(orjson.dumps([kind, *parts])).decode().rstrip("=")


def unpack(kind: str, token: str) -> list[Any] | None:
    """What a token of that kind says; None if it is none."""
    try:
        found = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError):
        return None
    if not isinstance(found, list) or not found or found[0] != kind:
        return None
    return found[1:]
