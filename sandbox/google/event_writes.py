"""Writing events: what the API's methods and the control interface both do.

https://developers.google.com/workspace/calendar/api/v3/reference/events/insert
"""

import base64
import re
import secrets
from typing import Any

from sandbox.google import recurrence
from sandbox.google.accounts import Account
from sandbox.google.calendars import Calendar, Event
from sandbox.google.errors import Failed, deleted, duplicate, invalid, not_found
from sandbox.google.times import edge, moment_of, stamp

Fields = dict[str, Any]
_ID = re.compile(r"[0-9a-v]{5,1024}")
_OURS = ("kind", "etag", "id", "htmlLink", "created", "updated", "creator", "organizer", "iCalUID", "recurringEventId")


def insert(account: Account, calendar: Calendar, body: Fields, *, by: str) -> Event:
    """A new event with these fields."""
    key = body.get("id") or secrets.token_hex(13)
    if not _ID.fullmatch(key):
        raise invalid("resource.id", message="Invalid resource id value.")
    if key in calendar.events:
        raise duplicate()
    now = stamp(account.clock.now())
    myself = {"email": account.email, "self": True}
    organizer = {"email": calendar.id, "self": True}
    if calendar.id != calendar.owner:
        organizer["displayName"] = calendar.fields["summary"]
    fields = {
        "kind": "calendar#event",
        "etag": "",
        "id": key,
        "status": "confirmed",
        "htmlLink": _link(calendar, key),
        "created": now,
        "updated": now,
        "creator": myself if account.email == calendar.id else {"email": account.email},
        "organizer": organizer,
        "iCalUID": body.get("iCalUID") or f"{key}@google.com",
        "sequence": 0,
        "reminders": {"useDefault": True},
        "eventType": "default",
    }
    fields |= {name: value for name, value in body.items() if name not in _OURS and value is not None}
    event = Event(key, _checked(fields, calendar), 0, calendar.ordinal())
    calendar.events[key] = event
    _put(account, calendar, event, event.fields, "created", by=by)
    return event


def patch(account: Account, calendar: Calendar, key: str, body: Fields, *, by: str) -> Event:
    """The event with these fields changed, None taken away; an instance becomes an exception of its series."""
    event = found(calendar, key)
    if event.cancelled and body.get("status") is None:
        raise Failed(403, "forbidden", "Forbidden")
    if body.get("status") == "cancelled":
        return cancel(account, calendar, key, by=by)
    fields = event.fields | {name: value for name, value in body.items() if name not in _OURS}
    fields = {name: value for name, value in fields.items() if value is not None}
    if any(name in body for name in ("start", "end", "recurrence")):
        fields["sequence"] = int(fields.get("sequence", 0)) + 1
    calendar.events.setdefault(key, event)
    event.sparse = False
    _put(account, calendar, event, _checked(fields, calendar), "updated", by=by)
    return event


def replace(account: Account, calendar: Calendar, key: str, body: Fields, *, by: str) -> Event:
    """The event with these fields and no others."""
    kept = (*_OURS, "status", "sequence", "reminders", "eventType", "originalStartTime")
    gone = {name: None for name in found(calendar, key).fields if name not in (*kept, "start", "end")}
    return patch(account, calendar, key, gone | body, by=by)


def cancel(account: Account, calendar: Calendar, key: str, *, by: str, sparse: bool = False) -> Event:
    """The event is cancelled; of a series, silently, all exceptions with it."""
    event = found(calendar, key)
    if event.cancelled:
        raise deleted()
    if calendar.virtual:
        calendar.events.pop(key, None)
        account.changed("events", "deleted", f"{calendar.id} {key}", by=by)
        return event
    event = calendar.events.setdefault(key, event)
    if event.series is None:
        fields = event.fields | {"status": "cancelled"}
    else:
        kept = ("kind", "etag", "id", "status", "recurringEventId", "originalStartTime", "start", "end", "updated")
        fields = {name: event.fields[name] for name in kept if name in event.fields} | {"status": "cancelled"}
    event.sparse = sparse
    _put(account, calendar, event, fields, "deleted", by=by)
    for exception in [other for other in calendar.events.values() if other.series == key and not other.cancelled]:
        exception.changed(exception.fields | {"status": "cancelled"}, exception.version)
    return event


def found(calendar: Calendar, key: str) -> Event:
    """The event, or the instance of a series as an exception that is not stored yet."""
    if (event := calendar.events.get(key)) is not None:
        return event
    series = calendar.events.get(key.rpartition("_")[0])
    if series is None or "recurrence" not in series.fields:
        raise not_found()
    fields = recurrence.instance(series.fields, key, calendar.time_zone)
    if fields is None:
        raise not_found()
    return Event(key, fields, series.version, calendar.ordinal())


def _put(account: Account, calendar: Calendar, event: Event, fields: Fields, change: str, *, by: str) -> None:
    version = calendar.following()
    now = account.clock.now()
    fields["etag"] = f'"{int(now * 1000)}{version:06d}"'
    fields["updated"] = stamp(now)
    event.changed(fields, version)
    account.changed("events", change, f"{calendar.id} {event.id}", by=by)


def _checked(fields: Fields, calendar: Calendar) -> Fields:
    """The fields in the form in which the API gives them back."""
    home = calendar.time_zone
    if not fields.get("start"):
        raise Failed(400, "required", "Missing start time.")
    if not fields.get("end"):
        raise Failed(400, "required", "Missing end time.")
    fields["start"], fields["end"] = edge(fields["start"], home), edge(fields["end"], home)
    if ("date" in fields["start"]) != ("date" in fields["end"]):
        raise Failed(400, "invalid", "Start and end times must either both be date or both be dateTime.")
    if moment_of(fields["end"], home) < moment_of(fields["start"], home):
        raise Failed(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar")
    if fields.get("recurrence"):
        recurrence.check(fields, home)
    for guest in fields.get("attendees", ()):
        if "@" not in str(guest.get("email", "")):
            raise Failed(400, "invalid", "Invalid attendee email.")
        guest.setdefault("responseStatus", "needsAction")
    return fields


def _link(calendar: Calendar, key: str) -> str:
    said = base64.urlsafe_b64encode(f"{key} {calendar.id}".encode()).decode().rstrip("=")
    return f"https://www.google.com/calendar/event?eid={said}"
