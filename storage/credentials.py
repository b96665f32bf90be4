"""Credentials as one ciphertext that opens only in the row it was made for, and only in memory."""

from collections.abc import Mapping
from uuid import UUID

import orjson
from cryptography.fernet import InvalidToken, MultiFernet

from storage import keys
from storage.errors import KeysUnusable

FIELD = "credentials"
"""The column's name: what was made for another column does not open here."""


def seal(connection_id: UUID, fields: Mapping[str, str]) -> str:
    """*fields* encrypted with the first key, for this connection alone."""
    inside = {"connection_id": str(connection_id), "field": FIELD, "value": dict(fields)}
    return keys.load()[0].encrypt(orjson.dumps(inside)).decode()


def unseal(connection_id: UUID, ciphertext: str) -> dict[str, str]:
    """What was sealed for this connection; KeysUnusable when no key opens it, or when it was made for another row."""
    try:
        inside = orjson.loads(MultiFernet(keys.load()).decrypt(ciphertext.encode()))
    except InvalidToken:
        raise KeysUnusable(
            f"The stored credentials of connection {connection_id} were encrypted with a key that is not here.",
            f"Put that key back into {keys.VARIABLE} (or its file), or reconnect.",
        ) from None
    if inside["connection_id"] != str(connection_id) or inside["field"] != FIELD:
        raise KeysUnusable(
            f"The stored credentials of connection {connection_id} were made for another one and are refused.",
            "Reconnect this connection.",
        )
    return dict(inside["value"])


def is_newest(ciphertext: str) -> bool:
    """Whether the first key alone opens it."""
    try:
        keys.load()[0].decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True
