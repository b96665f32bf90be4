"""Which records an event is about.

https://docs.stripe.com/api/events/types
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors import spans
from connectors.stripe.records import moment
from connectors.stripe.streams import STREAMS


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its id, when it was created, and the records it says have changed, as (stream, id)."""

    id: str
    created: int
    touches: tuple[tuple[str, str], ...]


_STREAM_OF = {stream.kind: stream.name for stream in STREAMS}

# An event about one object that changes another, by the field that names the other one.
_ALSO = {
    "discount": (("customer", "customers"), ("subscription", "subscriptions")),
    "source": (("customer", "customers"),),
    "card": (("customer", "customers"),),
    "bank_account": (("customer", "customers"),),
    "invoiceitem": (("invoice", "invoices"),),
    "credit_note": (("invoice", "invoices"),),
    "dispute": (("charge", "charges"), ("payment_intent", "payment_intents")),
    "refund": (("charge", "charges"),),
}


class _Object(msgspec.Struct):
    id: Any = None
    object: Any = None
    customer: Any = None
    subscription: Any = None
    invoice: Any = None
    charge: Any = None
    payment_intent: Any = None


class _Data(msgspec.Struct):
    object: _Object


class _Event(msgspec.Struct):
    id: str
    created: int
    data: _Data


_decode = msgspec.json.Decoder(_Event).decode


def read_events(records: Iterable[bytes]) -> list[Event]:
    """The events in *records*. One without an id or a time names nothing that could be read, and is left out."""
    found = (_read(record) for record in records)
    return [event for event in found if event is not None]


def _read(record: bytes) -> Event | None:
    try:
        event = _decode(record)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _read_odd(record)
    return Event(event.id, event.created, tuple(_touches(event.data.object)))


def _read_odd(record: bytes) -> Event | None:
    """The same of a record that a JSON parser refuses."""
    event = spans.scalars(record)
    event_id, created = event.get("id"), moment(event.get("created"))
    if not isinstance(event_id, str) or created is None:
        return None
    found = spans.scalars(record, "data", "object")
    named = _Object(*(found.get(name) for name in _Object.__struct_fields__))
    return Event(event_id, created, tuple(_touches(named)))


def _touches(named: _Object) -> Iterator[tuple[str, str]]:
    """The records that an event's object stands for; an upcoming invoice has no id and stands for none."""
    kind = named.object if isinstance(named.object, str) else ""
    if kind in _STREAM_OF and isinstance(named.id, str) and named.id:
        yield _STREAM_OF[kind], named.id
    for field, stream in _ALSO.get(kind, ()):
        other = getattr(named, field)
        other = other.get("id") if isinstance(other, dict) else other
        if isinstance(other, str) and other:
            yield stream, other
