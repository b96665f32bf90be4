"""Guests have a copy of the event in their own calendar, under the same id, as long as the organiser has it.

https://developers.google.com/workspace/calendar/api/concepts/sharing#inviting_attendees_to_events
"""

from typing import Any

from sandbox.google.calendars import Calendar, Event
from sandbox.google.calls import World
from sandbox.google.times import edge

_TIMES = ("start", "end", "originalStartTime")


def invite(world: World, calendar: Calendar, event: Event, *, by: str) -> None:
    """Every guest who is here has the event as it is now."""
    if calendar.id != calendar.owner:
        return
    for guest in event.fields.get("attendees", ()):
        theirs = world.calendars.all.get(guest["email"])
        if theirs is None or theirs is calendar:
            continue
        _copy(world, theirs, event, by=by)


def _copy(world: World, theirs: Calendar, event: Event, *, by: str) -> None:
    account, version = world.accounts[theirs.owner], theirs.following()
    fields: dict[str, Any] = event.fields | {"etag": f'"{version:019d}"'}
    fields |= {name: edge(fields[name], theirs.time_zone) for name in _TIMES if name in fields}
    fields["organizer"] = {name: value for name, value in fields["organizer"].items() if name != "self"}
    fields["creator"] = {name: value for name, value in fields["creator"].items() if name != "self"}
    fields["attendees"] = [
        guest | ({"self": True} if guest["email"] == theirs.id else {}) for guest in event.fields["attendees"]
    ]
    known = theirs.events.get(event.id)
    if known is None:
        known = theirs.events[event.id] = Event(event.id, fields, version, theirs.ordinal())
    known.changed(fields, version)
    account.changed("events", "updated", f"{theirs.id} {event.id}", by=by)
