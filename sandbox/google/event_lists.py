"""`events.list` and `events.instances`: pages of events, and what changed since a sync token.

https://developers.google.com/workspace/calendar/api/v3/reference/events/list
https://developers.google.com/workspace/calendar/api/guides/sync
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from sandbox.google import recurrence
from sandbox.google.calendars import Calendar, Event
from sandbox.google.calls import Call
from sandbox.google.errors import Failed, bad_request, full_sync_required, invalid
from sandbox.google.places import pack, unpack
from sandbox.google.times import in_zone, moment_of, parameter, stamp

NOT_WITH_SYNC = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMax",
    "timeMin",
    "updatedMin",
)
_NO_TOKEN_AFTER = ("iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "updatedMin")
_SAME = ("alwaysIncludeEmail", "eventTypes", "maxAttendees", "maxResults", "showHiddenInvitations", "singleEvents")
DEFAULT, MOST = 250, 2500

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


def list_events(call: Call) -> bytes:
    """One page."""
    calendar = call.world.calendars.find(call.account, call.path["calendarId"], "reader")
    same = _same(call)
    since = _since(call, calendar, same)
    after, version, since = _place(call, calendar, same, since)
    asked = _asked(call, since)
    rows = _rows(calendar, asked, call)
    rows.sort(key=lambda row: row[0])
    left = [row for row in rows if after is None or row[0] > after]
    page, more = left[: asked.size], len(left) > asked.size
    told = _head(call, calendar)
    if more:
        told["nextPageToken"] = pack("page", calendar.id, calendar.page_epoch, same, page[-1][0], version, since)
    elif not any(call.text(name) for name in _NO_TOKEN_AFTER):
        at = calendar.version if since is not None else version
        told["nextSyncToken"] = pack("sync", calendar.id, calendar.epoch, at, same)
    return orjson.dumps(told)[:-1] + b',"items":[' + b",".join(body for _, body in page) + b"]}"


def list_instances(call: Call) -> bytes:
    """The instances of one series."""
    calendar = call.world.calendars.find(call.account, call.path["calendarId"], "reader")
    series = calendar.events.get(call.path["eventId"])
    if series is None or "recurrence" not in series.fields:
        raise Failed(404, "notFound", "Not Found")
    asked = _asked(call, None)
    rows = sorted(_instances(calendar, series, asked), key=lambda row: row[0])
    after = unpack("instances", call.text("pageToken") or "")
    left = [row for row in rows if after is None or row[0] > after]
    told = _head(call, calendar)
    if len(left) > asked.size:
        told["nextPageToken"] = pack("instances", *left[asked.size - 1][0])
    return orjson.dumps(told)[:-1] + b',"items":[' + b",".join(body for _, body in left[: asked.size]) + b"]}"


def _head(call: Call, calendar: Calendar) -> dict[str, Any]:
    entry = call.world.calendars.lists[call.account.email].get(calendar.id)
    return {
        "kind": "calendar#events",
        "etag": f'"p{calendar.version:014d}"',
        "summary": calendar.fields["summary"],
        "description": calendar.fields.get("description", ""),
        "updated": stamp(call.account.clock.now()),
        "timeZone": call.text("timeZone") or calendar.time_zone,
        "accessRole": calendar.role(call.account.email),
        "defaultReminders": (entry.fields.get("defaultReminders") if entry else None) or [],
    }


def _same(call: Call) -> str:
    """A fingerprint of what must not change between the first list and the pages and syncs that follow it."""
    return "&".join(f"{name}={','.join(call.many(name))}" for name in _SAME if call.text(name) is not None)


def _asked(call: Call, since: int | None) -> Asked:
    moments = {
        name: parameter(name, v) if (v := call.text(name)) else None for name in ("timeMin", "timeMax", "updatedMin")
    }
    low, high, order, single = moments["timeMin"], moments["timeMax"], call.text("orderBy"), call.yes("singleEvents")
    if low is not None and high is not None and high <= low:
        raise Failed(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar",
                     locationType="parameter", location="timeMax")  # fmt: skip
    if order not in (None, "startTime", "updated"):
        raise invalid("orderBy", order)
    if order == "startTime" and not single:
        raise bad_request("The requested ordering is not available for the particular query.")
    size = call.number("maxResults", DEFAULT, MOST)
    deleted = since is not None or call.yes("showDeleted")
    return Asked(single, deleted, low, high, moments["updatedMin"], order, size, call.text("timeZone"), since)


def _since(call: Call, calendar: Calendar, same: str) -> int | None:
    token = call.text("syncToken")
    if token is None:
        return None
    wrong = [name for name in NOT_WITH_SYNC if call.text(name) is not None]
    if wrong:
        raise invalid("syncToken", message=f"Sync token cannot be combined with {wrong[0]}.")
    if call.text("showDeleted") is not None and not call.yes("showDeleted"):
        raise invalid("showDeleted", message="showDeleted must not be false with a sync token.")
    found = unpack("sync", token)
    if found is None or found[0] != calendar.id:
        raise invalid("syncToken", message="Invalid sync token value.")
    _, epoch, version, asked = found
    if epoch != calendar.epoch or asked != same:
        raise full_sync_required()
    return int(version)


def _place(call: Call, calendar: Calendar, same: str, since: int | None) -> tuple[Key | None, int, int | None]:
    """Behind which key the page begins, the version when the list began, and the version since which it tells."""
    token = call.text("pageToken")
    if token is None:
        return None, calendar.version, since
    found = unpack("page", token)
    if found is None or found[:3] != [calendar.id, calendar.page_epoch, same]:
        raise invalid("pageToken", message="Invalid page token value.")
    return found[3], int(found[4]), found[5]


def _rows(calendar: Calendar, asked: Asked, call: Call) -> list[Row]:
    rows: list[Row] = []
    words = (call.text("q") or "").lower().split()
    for event in calendar.events.values():
        if asked.since is not None and event.version <= asked.since:
            continue
        if asked.since is not None and not asked.single:
            rows.append(([event.version], _body(event, asked)))
        elif asked.single:
            rows += _singly(calendar, event, asked)
        elif _wanted(calendar, event, asked) and _in_range(calendar, event, asked):
            rows.append((_key(event, asked), _body(event, asked)))
    uid = call.text("iCalUID")
    if uid is not None:
        rows = [row for row in rows if orjson.loads(row[1]).get("iCalUID") == uid]
    return [row for row in rows if all(word in row[1].decode().lower() for word in words)] if words else rows


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
    yield from _instances(calendar, event, asked)


def _instances(calendar: Calendar, series: Event, asked: Asked) -> Iterator[Row]:
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
