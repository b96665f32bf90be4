"""The events that a list is about, each with the key by which it has its place there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from sandbox.google import recurrence
from sandbox.google.calendars import Calendar, Event
from sandbox.google.calls import Call
from sandbox.google.times import in_zone, moment_of

Key = list[Any]
Row = tuple[Key, bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is about, the same on all of its pages."""

    single: bool
    deleted: bool
    low: datetime | None
    high: datetime | None
    updated: datetime | None
    order: str | None
    size: int
    zone: str | None
    since: int | None
    """The version that a sync token stands for."""


def rows(calendar: Calendar, asked: Asked, call: Call) -> list[Row]:
    found: list[Row] = []
    words = (call.text("q") or "").lower().split()
    for event in calendar.events.values():
        if asked.since is not None and event.version <= asked.since:
            continue
        if asked.since is not None and not asked.single:
            found.append(([event.version], _body(event, asked)))
        elif asked.single:
            found += _singly(calendar, event, asked)
        elif _wanted(calendar, event, asked) and _in_range(calendar, event, asked):
            found.append((_key(event, asked), _body(event, asked)))
    uid = call.text("iCalUID")
    if uid is not None:
        found = [row for row in found if orjson.loads(row[1]).get("iCalUID") == uid]
    return [row for row in found if all(word in row[1].decode().lower() for word in words)] if words else found


def _wanted(calendar: Calendar, event: Event, asked: Asked) -> bool:
    """Cancelled ones only if asked for, but exceptions that are cancelled always while their series is there."""
    if asked.updated is not None:
        return bool(datetime.fromisoformat(event.fields["updated"]) >= asked.updated)
    if not event.cancelled or asked.deleted:
        return True
    series = calendar.events.get(event.series or "")
    return series is not None and not series.cancelled


def _in_range(calendar: Calendar, event: Event, asked: Asked) -> bool:
    if asked.low is None and asked.high is None:
        return True
    if "start" not in event.fields:
        return True
    if event.fields.get("recurrence") and not event.cancelled:
        found = recurrence.instances(event.fields, calendar.time_zone, asked.low, asked.high)
        return next(found, None) is not None
    return _meets(event.fields, calendar, asked)


def _meets(fields: dict[str, Any], calendar: Calendar, asked: Asked) -> bool:
    home = calendar.time_zone
    if asked.low is not None and moment_of(fields["end"], home) <= asked.low:
        return False
    return asked.high is None or moment_of(fields["start"], home) < asked.high


def _key(event: Event, asked: Asked) -> Key:
    return [event.fields.get("updated", ""), event.id] if asked.order == "updated" else [event.ordinal]


def _singly(calendar: Calendar, event: Event, asked: Asked) -> Iterator[Row]:
    """The event, or each instance of it; exceptions come with their series."""
    if event.series is not None and asked.since is None:
        return
    if "recurrence" not in event.fields or event.cancelled:
        if "start" in event.fields and (asked.deleted or not event.cancelled) and _meets(event.fields, calendar, asked):
            yield _single_row(event.fields, calendar, asked)
        elif asked.since is not None:
            yield [0.0, event.id], _body(event, asked)
        return
    yield from instances(calendar, event, asked)


def instances(calendar: Calendar, series: Event, asked: Asked) -> Iterator[Row]:
    exceptions = {found.id: found for found in calendar.events.values() if found.series == series.id}
    for key, fields in recurrence.instances(series.fields, calendar.time_zone, asked.low, asked.high):
        if key not in exceptions:
            yield _single_row(fields, calendar, asked)
    for exception in exceptions.values():
        if exception.cancelled and not asked.deleted:
            continue
        if "start" in exception.fields and _meets(exception.fields, calendar, asked):
            yield _single_row(exception.fields, calendar, asked)


def _single_row(fields: dict[str, Any], calendar: Calendar, asked: Asked) -> Row:
    shown = in_zone(fields, asked.zone) if asked.zone else fields
    start = moment_of(fields["start"], calendar.time_zone).astimezone(UTC).timestamp()
    return [start, fields["id"]], orjson.dumps(shown)


def _body(event: Event, asked: Asked) -> bytes:
    return orjson.dumps(in_zone(event.shown(), asked.zone)) if asked.zone else event.body()
