"""The methods of the Calendar API but for lists of events.

https://developers.google.com/workspace/calendar/api/v3/reference
"""

from typing import Any

import orjson

from sandbox.google import event_writes
from sandbox.google.calendars import Calendar, Event
from sandbox.google.calls import Call
from sandbox.google.errors import Failed, full_sync_required, invalid, not_found, required
from sandbox.google.invitations import invite
from sandbox.google.places import pack, unpack
from sandbox.google.times import in_zone, zone

_SETTABLE = ("summary", "description", "location", "timeZone")
_MY_OWN = ("summaryOverride", "colorId", "backgroundColor", "foregroundColor", "hidden", "selected", "defaultReminders")


def list_calendars(call: Call) -> bytes:
    """One page of the account's list, or what changed in it."""
    email, calendars = call.account.email, call.world.calendars
    since, after = _list_since(call), _list_after(call)
    hidden, deleted = call.yes("showHidden"), call.yes("showDeleted") or since is not None
    rows = sorted((entry.version, key) for key, entry in calendars.lists[email].items())
    shown = [(version, calendars.shown(email, key)) for version, key in rows if version > max(since or 0, after)]
    shown = [row for row in shown if (deleted or "deleted" not in row[1]) and (hidden or not row[1].get("hidden"))]
    size = call.number("maxResults", 100, 250)
    told: dict[str, Any] = {"kind": "calendar#calendarList", "etag": f'"p{calendars.versions[email]:014d}"'}
    if len(shown) > size:
        told["nextPageToken"] = pack("calendars", email, shown[size - 1][0])
    else:
        told["nextSyncToken"] = pack("list", email, calendars.epochs.get(email, 0), calendars.versions[email])
    return orjson.dumps(told | {"items": [fields for _, fields in shown[:size]]})


def _list_since(call: Call) -> int | None:
    token = call.text("syncToken")
    if token is None:
        return None
    if call.text("minAccessRole") is not None:
        raise invalid("syncToken", message="Sync token cannot be combined with minAccessRole.")
    found = unpack("list", token)
    if found is None or found[0] != call.account.email:
        raise invalid("syncToken", message="Invalid sync token value.")
    if found[1] != call.world.calendars.epochs.get(call.account.email, 0):
        raise full_sync_required()
    return int(found[2])


def _list_after(call: Call) -> int:
    token = call.text("pageToken")
    if token is None:
        return 0
    found = unpack("calendars", token)
    if found is None or found[0] != call.account.email:
        raise invalid("pageToken", message="Invalid page token value.")
    return int(found[1])


def get_list_entry(call: Call) -> bytes:
    calendars, email = call.world.calendars, call.account.email
    key = email if call.path["calendarId"] == "primary" else call.path["calendarId"]
    entry = calendars.lists[email].get(key)
    if entry is None or entry.removed:
        raise not_found()
    return orjson.dumps(calendars.shown(email, key))


def insert_list_entry(call: Call) -> bytes:
    key = call.body.get("id")
    if not key:
        raise required("id")
    calendar = call.world.calendars.find(call.account, key)
    mine = {name: value for name, value in call.body.items() if name in _MY_OWN}
    call.world.calendars.list_add(call.account, calendar.id, by="api", **mine)
    return orjson.dumps(call.world.calendars.shown(call.account.email, calendar.id))


def patch_list_entry(call: Call) -> bytes:
    get_list_entry(call)
    mine = {name: value for name, value in call.body.items() if name in _MY_OWN}
    key = call.account.email if call.path["calendarId"] == "primary" else call.path["calendarId"]
    call.world.calendars.list_add(call.account, key, by="api", **mine)
    return get_list_entry(call)


def delete_list_entry(call: Call) -> bytes:
    if call.path["calendarId"] in ("primary", call.account.email):
        raise Failed(400, "cannotRemovePrimary", "Cannot remove the primary calendar.", domain="calendar")
    call.world.calendars.list_remove(call.account, call.path["calendarId"], by="api")
    return b""


def get_calendar(call: Call) -> bytes:
    return _calendar(call.world.calendars.find(call.account, call.path["calendarId"]))


def insert_calendar(call: Call) -> bytes:
    if not call.body.get("summary"):
        raise required("summary")
    fields = {name: call.body[name] for name in _SETTABLE if call.body.get(name)}
    zone_name = fields.pop("timeZone", "UTC")
    zone(zone_name)
    return _calendar(call.world.calendars.create(call.account, fields.pop("summary"), time_zone=zone_name, **fields))


def patch_calendar(call: Call) -> bytes:
    calendar = call.world.calendars.find(call.account, call.path["calendarId"], "owner")
    calendar.fields |= {name: call.body[name] for name in _SETTABLE if name in call.body}
    for email in calendar.acl:
        entry = call.world.calendars.lists[email].get(calendar.id)
        if entry is not None and not entry.removed:
            call.world.calendars.list_add(call.world.accounts[email], calendar.id, by="api")
    return _calendar(calendar)


def delete_calendar(call: Call) -> bytes:
    calendar = call.world.calendars.find(call.account, call.path["calendarId"], "owner")
    if calendar.id == calendar.owner:
        raise Failed(400, "cannotDeletePrimary", "Cannot delete the primary calendar.", domain="calendar")
    for email in calendar.acl:
        entry = call.world.calendars.lists[email].get(calendar.id)
        if entry is not None and not entry.removed:
            call.world.calendars.list_remove(call.world.accounts[email], calendar.id, by="api")
    del call.world.calendars.all[calendar.id]
    return b""


def get_event(call: Call) -> bytes:
    calendar = call.world.calendars.find(call.account, call.path["calendarId"], "reader")
    event = event_writes.found(calendar, call.path["eventId"])
    wanted = call.text("timeZone")
    return orjson.dumps(in_zone(event.shown(), wanted)) if wanted else event.body()


def insert_event(call: Call) -> bytes:
    calendar = call.world.calendars.find(call.account, call.path["calendarId"], "writer")
    return _told_guests(call, calendar, event_writes.insert(call.account, calendar, call.body, by="api"))


def patch_event(call: Call) -> bytes:
    calendar = call.world.calendars.find(call.account, call.path["calendarId"], "writer")
    event = event_writes.patch(call.account, calendar, call.path["eventId"], call.body, by="api")
    return _told_guests(call, calendar, event)


def update_event(call: Call) -> bytes:
    calendar = call.world.calendars.find(call.account, call.path["calendarId"], "writer")
    event = event_writes.replace(call.account, calendar, call.path["eventId"], call.body, by="api")
    return _told_guests(call, calendar, event)


def delete_event(call: Call) -> bytes:
    calendar = call.world.calendars.find(call.account, call.path["calendarId"], "writer")
    _told_guests(call, calendar, event_writes.cancel(call.account, calendar, call.path["eventId"], by="api"))
    return b""


def _told_guests(call: Call, calendar: Calendar, event: Event) -> bytes:
    invite(call.world, calendar, event, by="api")
    return event.body()


def _calendar(calendar: Calendar) -> bytes:
    return orjson.dumps({"kind": "calendar#calendar", "etag": f'"{calendar.version}"', **calendar.fields})
