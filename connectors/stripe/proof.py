"""What came of a write whose answer is lost: Stripe's events name the idempotency key of the request that caused them.

https://docs.stripe.com/api/events/object
"""

import time
from datetime import timedelta
from typing import Any

import msgspec

from connectors.client import Client
from connectors.stripe.pages import fetch

_MARGIN = 120
"""Seconds before the first attempt at which an event of it cannot have been created."""
_MOST_PAGES = 10


class _Request(msgspec.Struct):
    idempotency_key: Any = None


class _Object(msgspec.Struct):
    id: str


class _Data(msgspec.Struct):
    object: _Object


class _Event(msgspec.Struct):
    id: str
    created: int
    data: _Data
    request: _Request | None = None


_decode = msgspec.json.Decoder(_Event).decode


async def caused(client: Client, kind: str, key: str, age: timedelta) -> str | None:
    """The id of the object that a request with this idempotency key made or changed; None when no event tells so.

    None proves nothing: events come late, and are kept for 30 days. Raises ConnectorErrors.
    """
    cursor: dict[str, Any] = {}
    for _ in range(_MOST_PAGES):
        page = await fetch(client, "/v1/events", {"type": kind}, cursor)
        events = [event for event in map(_read, page.listing.records) if event is not None]
        for event in events:
            if event.request is not None and event.request.idempotency_key == key:
                return event.data.object.id
        now = page.answer.date.timestamp() if page.answer.date else time.time()
        began = now - age.total_seconds() - _MARGIN
        if not page.listing.has_more or not events or events[-1].created < began:
            return None
        cursor = {"after": events[-1].id}
    return None


def _read(record: bytes) -> _Event | None:
    try:
        return _decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
