"""What we need to know of a calendar or an event, looked up in its bytes; the record itself is passed on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors import spans
from connectors.base import Key
from connectors.records import with_members

_INSTANCE = re.compile(r"(?P<series>.+)_(?P<day>\d{8})(?P<time>T\d{6}Z)?", re.DOTALL)
"""The id of one instance of a series: the series' id, and when the instance was meant to be, in UTC."""


class Outline(msgspec.Struct):
    """The members of an event that we look at, whatever they hold."""

    kind: Any = None
    id: Any = None
    status: Any = None
    recurringEventId: Any = None  # noqa: N815 - Google's name
    start: Any = None
    recurrence: Any = None


class CalendarOutline(msgspec.Struct):
    """The members of a calendar that we look at, whatever they hold."""

    id: Any = None
    summary: Any = None
    summaryOverride: Any = None  # noqa: N815 - Google's name
    accessRole: Any = None  # noqa: N815 - Google's name
    deleted: Any = None


_event = msgspec.json.Decoder(Outline).decode
_calendar = msgspec.json.Decoder(CalendarOutline).decode


@dataclass(slots=True)
class Sorted:
    """Events of one calendar: those that are there and those that are cancelled."""

    alive: list[bytes] = field(default_factory=list)
    cancelled: list[bytes] = field(default_factory=list)
    keys: set[Key] = field(default_factory=set)
    """Of those that are there."""
    series: list[str] = field(default_factory=list)
    """The ids of cancelled events that were series, or may have been: Google need not tell more than the id."""


def sort_out(calendar_id: str, records: Iterable[bytes]) -> Sorted:
    """The events with their calendar's id in them. One that has no id of its own counts as there."""
    found = Sorted()
    for record in records:
        seen = outline(record)
        if seen.status == "cancelled":
            instance = _instance(seen)
            found.cancelled.append(with_members(record, {**instance, "calendar_id": calendar_id}))
            if isinstance(seen.id, str) and not instance and _may_be_series(seen):
                found.series.append(seen.id)
            continue
        found.alive.append(of_calendar(calendar_id, record))
        if isinstance(seen.id, str):
            found.keys.add((calendar_id, seen.id))
    return found


def of_calendar(calendar_id: str, record: bytes) -> bytes:
    """The event with its calendar's id in it: by itself it does not tell."""
    return with_members(record, {"calendar_id": calendar_id})


def outline(record: bytes) -> Outline:
    """The outline of an event; of what is no object, an empty outline."""
    try:
        return _event(record)
    except msgspec.ValidationError:
        return Outline()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = spans.scalars(record)
        return Outline(*(found.get(name) for name in Outline.__struct_fields__))


def calendar_outline(record: bytes) -> CalendarOutline:
    """The outline of a calendar; of what is no object, an empty outline."""
    try:
        return _calendar(record)
    except msgspec.ValidationError:
        return CalendarOutline()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = spans.scalars(record)
        return CalendarOutline(*(found.get(name) for name in CalendarOutline.__struct_fields__))


def _may_be_series(seen: Outline) -> bool:
    return seen.recurringEventId is None and (seen.start is None or seen.recurrence is not None)


def _instance(seen: Outline) -> dict[str, str]:
    """Which instance of which series was cancelled, by its id, when Google tells no more than that."""
    found = _INSTANCE.fullmatch(seen.id) if isinstance(seen.id, str) and seen.recurringEventId is None else None
    if found is None:
        return {}
    said = found["day"] + (found["time"] or "")
    try:
        meant = datetime.strptime(said, "%Y%m%dT%H%M%SZ" if found["time"] else "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return {}
    if found["time"]:
        return {"recurring_event_id": found["series"], "original_start": meant.isoformat()}
    return {"recurring_event_id": found["series"], "original_start_date": meant.date().isoformat()}
