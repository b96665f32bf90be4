"""Slack's cursors: a word and a value in base64, which clients take as they come.

https://docs.slack.dev/apis/web-api/pagination
"""

import base64
from binascii import Error as NotBase64

from sandbox.slack.errors import Failed


def pack(word: str, value: str) -> str:
    return base64.b64encode(f"{word}:{value}".encode()).decode()


def unpack(cursor: str | None, word: str) -> str | None:
    """The value in a cursor of that kind; None without one."""
    if cursor is None:
        return None
    try:
        found, _, value = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        raise Failed("invalid_cursor") from None
    if found != word or not value:
        raise Failed("invalid_cursor")
    return value
