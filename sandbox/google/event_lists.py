"""`events.list` and `events.instances`: pages of events, and what changed since a sync token.

https://developers.google.com/workspace/calendar/api/v3/reference/events/list
https://developers.google.com/workspace/calendar/api/guides/sync
"""

from typing import Any

import orjson

from sandbox.google.calendars import Calendar
from sandbox.google.calls import Call
from sandbox.google.errors import Failed, bad_request, full_sync_required, invalid
from sandbox.google.event_rows import Asked, Key, instances, rows
from sandbox.google.places import pack, unpack
from sandbox.google.times import parameter, stamp

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


def list_events(call: Call) -> bytes:
    """One page."""
    calendar = call.world.calendars.find(call.account, call.path["calendarId"], "reader")
    same = _same(call)
    since = _since(call, calendar, same)
    after, version, since = _place(call, calendar, same, since)
    asked = _asked(call, since)
    found = sorted(rows(calendar, asked, call), key=lambda row: row[0])
    left = [row for row in found if after is None or row[0] > after]
    page, more = left[: asked.size], len(left) > asked.size
    told = _head(call, calendar)
    if more:
        told["nextPageToken"] = pack("page", calendar.id, calendar.page_epoch, same, page[-1][0], version, since)
    elif not any(call.text(name) for name in _NO_TOKEN_AFTER):
        # By version nothing is overtaken while the pages are read; in any other order the next list has to tell it.
        at = calendar.version if since is not None and not asked.single else version
        told["nextSyncToken"] = pack("sync", calendar.id, calendar.epoch, at, same)
    return orjson.dumps(told)[:-1] + b',"items":[' + b",".join(body for _, body in page) + b"]}"


def list_instances(call: Call) -> bytes:
    """The instances of one series."""
    calendar = call.world.calendars.find(call.account, call.path["calendarId"], "reader")
    series = calendar.events.get(call.path["eventId"])
    if series is None or "recurrence" not in series.fields:
        raise Failed(404, "notFound", "Not Found")
    asked = _asked(call, None)
    found = sorted(instances(calendar, series, asked), key=lambda row: row[0])
    after = unpack("instances", call.text("pageToken") or "")
    left = [row for row in found if after is None or row[0] > after]
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
    moments = {name: parameter(v) if (v := call.text(name)) else None for name in ("timeMin", "timeMax", "updatedMin")}
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
