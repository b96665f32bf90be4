"""A record's key as storage keeps it, one text, and as connectors know it."""

import json
from collections.abc import Iterable

from connectors.base import Key


def key_text(key: Key) -> str:
    """The value itself where there is one; else a JSON array, spaced as Postgres writes it."""
    return key[0] if len(key) == 1 else json.dumps(list(key), ensure_ascii=False)


def key_texts(keys: Iterable[Key]) -> list[str]:
    return [key_text(key) for key in keys]


def key_of(text: str, columns: tuple[str, ...]) -> Key:
    """The other way round, for a stream with these key columns."""
    return (text,) if len(columns) == 1 else tuple(json.loads(text))
