"""What a test does to calendars and events."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from sandbox.google import event_writes
from sandbox.google.accounts import Account
from sandbox.google.calendars import Calendar
from sandbox.google.calls import World
from sandbox.google.invitations import invite
from sandbox.google.places import unpack

Body = dict[str, Any]


def truth(world: World, account: Account, stream: str) -> list[tuple[str, bytes]]:
    """The records of `calendars` or of `events`, cancelled ones too; nothing for another stream."""
    if stream == "calendars":
        calendars = world.calendars
        return [(c.id, orjson.dumps(calendars.shown(account.email, c.id))) for c in calendars.listed(account.email)]
    if stream == "events":
        return list(_events(world, account))
    return []


def _events(world: World, account: Account) -> Iterator[tuple[str, bytes]]:
    for calendar in world.calendars.listed(account.email):
        if calendar.role(account.email) in ("reader", "writer", "owner") and account.email not in calendar.forbidden:
            for event in calendar.events.values():
                yield f"{calendar.id} {event.id}", event.body()


def _found(world: World, account: Account, body: Body) -> Calendar:
    """The calendar, whatever the account itself may do with it."""
    key = body.pop("calendar", None) or "primary"
    return world.calendars.all[account.email if key == "primary" else key]


def _create_calendar(world: World, account: Account, body: Body) -> Body:
    """`{summary, id?, time_zone?, …}`: a calendar of the account's own, on its list."""
    key = body.pop("id", None)
    calendar = world.calendars.create(account, body.pop("summary"), key=key, by="control", **body)
    return world.calendars.shown(account.email, calendar.id)


def _change_calendar(world: World, account: Account, body: Body) -> Body:
    """`{calendar, summary?, timeZone?, …}` of the calendar; `mine: {hidden?, summaryOverride?, …}` of the list."""
    calendar, mine = _found(world, account, body), body.pop("mine", {})
    calendar.fields |= body
    world.calendars.list_add(account, calendar.id, by="control", **mine)
    return world.calendars.shown(account.email, calendar.id)


def _share(world: World, account: Account, body: Body) -> Body:
    """`{calendar, with, role?, listed?}`: the other account may do that with it, and has it on its list."""
    calendar, other = _found(world, account, body), world.accounts[body["with"]]
    calendar.acl[other.email] = body.get("role", "reader")
    if body.get("listed", True):
        world.calendars.list_add(other, calendar.id, by="control")
    return {"role": calendar.acl[other.email]}


def _unshare(world: World, account: Account, body: Body) -> Body:
    """`{calendar, with, listed?}`: the other account may do nothing with it; if *listed*, it stays on its list."""
    calendar, other = _found(world, account, body), world.accounts[body["with"]]
    calendar.acl.pop(other.email, None)
    if not body.get("listed") and calendar.id in world.calendars.lists[other.email]:
        world.calendars.list_remove(other, calendar.id, by="control")
    return {}


def _forbid(world: World, account: Account, body: Body) -> Body:
    """`{calendar, allow?}`: this account is refused with 403 although the calendar stays on its list; or no more."""
    calendar = _found(world, account, body)
    if body.get("allow"):
        calendar.forbidden.discard(account.email)
    else:
        calendar.forbidden.add(account.email)
    return {"forbidden": sorted(calendar.forbidden)}


def _unlist(world: World, account: Account, body: Body) -> Body:
    """`{calendar}`: off this account's list; whatever it may do with it, it may do."""
    world.calendars.list_remove(account, body["calendar"], by="control")
    return {}


def _list(world: World, account: Account, body: Body) -> Body:
    """`{calendar, …}`: on this account's list again."""
    world.calendars.list_add(account, body.pop("calendar"), by="control", **body)
    return {}


def _delete_calendar(world: World, account: Account, body: Body) -> Body:
    """`{calendar}`: gone, for everybody."""
    del account
    calendar = world.calendars.all.pop(body["calendar"])
    for email in calendar.acl:
        entry = world.calendars.lists[email].get(calendar.id)
        if entry is not None and not entry.removed:
            world.calendars.list_remove(world.accounts[email], calendar.id, by="control")
    return {}


def _create_event(world: World, account: Account, body: Body) -> Body:
    """`{calendar?, fields}`: a new event."""
    calendar = _found(world, account, body)
    event = event_writes.insert(account, calendar, body.get("fields", {}), by="control")
    invite(world, calendar, event, by="control")
    return event.shown()


def _update_event(world: World, account: Account, body: Body) -> Body:
    """`{calendar?, id, fields}`: changed; an instance of a series becomes an exception."""
    calendar = _found(world, account, body)
    event = event_writes.patch(account, calendar, body["id"], body.get("fields", {}), by="control")
    invite(world, calendar, event, by="control")
    return event.shown()


def _cancel_event(world: World, account: Account, body: Body) -> Body:
    """`{calendar?, id, sparse?}`: cancelled: an event, a series or one instance; sparse tells nothing but that."""
    calendar = _found(world, account, body)
    event = event_writes.cancel(account, calendar, body["id"], by="control", sparse=bool(body.get("sparse")))
    invite(world, calendar, event, by="control")
    return event.shown()


def _forget_event(world: World, account: Account, body: Body) -> Body:
    """`{calendar?, id?}`: an event is gone without a trace; without id all cancelled ones are, as they are in time."""
    calendar = _found(world, account, body)
    keys = [body["id"]] if body.get("id") else [key for key, event in calendar.events.items() if event.cancelled]
    for key in keys:
        del calendar.events[key]
    return {"forgotten": len(keys)}


def _expire_sync_tokens(world: World, account: Account, body: Body) -> Body:
    """`{calendar?, list?}`: those of one calendar, of the list, or else of all have expired."""
    calendars = world.calendars
    if body.get("list") or "calendar" not in body:
        calendars.epochs[account.email] = calendars.epochs.get(account.email, 0) + 1
    if not body.get("list"):
        chosen = [_found(world, account, body)] if "calendar" in body else calendars.listed(account.email)
        for calendar in chosen:
            calendar.epoch += 1
    return {}


def _expire_page_tokens(world: World, account: Account, body: Body) -> Body:
    """`{calendar?}`: page tokens of that calendar's events, or of all, are invalid."""
    chosen = [_found(world, account, body)] if "calendar" in body else world.calendars.listed(account.email)
    for calendar in chosen:
        calendar.page_epoch += 1
    return {}


def _read_token(world: World, account: Account, body: Body) -> Body:
    """`{token}`: what a sync token of a calendar's events stands for."""
    del account
    calendar_id, epoch, version, asked = unpack("sync", body["token"]) or (None, None, None, None)
    known = world.calendars.all.get(calendar_id or "")
    return {"calendar": calendar_id, "version": version, "asked": asked, "good": known and known.epoch == epoch}


CALLS: dict[str, Callable[[World, Account, Body], Body]] = {
    "cancel_event": _cancel_event,
    "change_calendar": _change_calendar,
    "create_calendar": _create_calendar,
    "create_event": _create_event,
    "delete_calendar": _delete_calendar,
    "expire_page_tokens": _expire_page_tokens,
    "expire_sync_tokens": _expire_sync_tokens,
    "forbid": _forbid,
    "forget_event": _forget_event,
    "list_calendar": _list,
    "read_token": _read_token,
    "share": _share,
    "unlist": _unlist,
    "unshare": _unshare,
    "update_event": _update_event,
}
