"""Random changes, the same for the same seed."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from sandbox.faults import Fault
from sandbox.google import event_writes, recurrence
from sandbox.google.accounts import Account
from sandbox.google.calendars import Calendar, Event
from sandbox.google.calls import World
from sandbox.google.loading import WORDS
from sandbox.google.mime import parse

Change = Callable[[World, Account, random.Random], str]


def shake(
    world: World,
    account: Account,
    *,
    service: str | None = None,
    seed: int | None = None,
    times: int = 1,
    only: Sequence[str] | None = None,
) -> list[str]:
    """*times* changes, of both services or of one, of all kinds or of those named; says what was done."""
    rng = random.Random(seed)
    kinds = {
        name: change for part, found in CHANGES.items() if service in (None, part) for name, change in found.items()
    }
    names = [name for name in kinds if only is None or name in only]
    return [f"{name} {kinds[name](world, account, rng)}".strip() for name in rng.choices(names, k=times)]


def between(world: World, account: Account, fault: Fault) -> None:
    """The changes that a fault makes behind the back of a reader between two pages."""
    seed, options = fault.options.get("seed"), fault.options
    seed = None if seed is None else int(seed) * 1000 + fault.met
    times, only = int(options.get("changes", 1)), options.get("only")
    shake(world, account, service=options.get("service"), seed=seed, times=times, only=only)


def _calendar(world: World, account: Account, rng: random.Random) -> Calendar:
    mine = [
        found for found in world.calendars.listed(account.email) if found.role(account.email) in ("writer", "owner")
    ]
    return rng.choice(sorted(mine, key=lambda found: found.fields["summary"]))


def _events(calendar: Calendar, *, series: bool | None = None) -> list[Event]:
    alive = sorted(
        (found for found in calendar.events.values() if not found.cancelled), key=lambda found: found.ordinal
    )
    return [found for found in alive if series is None or ("recurrence" in found.fields) == series]


def _times(account: Account, rng: random.Random) -> dict[str, dict[str, str]]:
    now = datetime.fromtimestamp(account.clock.now(), UTC).replace(minute=0, second=0, microsecond=0)
    start = now + timedelta(hours=rng.randint(-500, 500))
    if rng.random() < 0.2:  # noqa: PLR2004 - every fifth lasts whole days
        return {"start": {"date": start.date().isoformat()}, "end": {"date": (start.date() + timedelta(1)).isoformat()}}
    zone = rng.choice(("UTC", "Europe/Berlin", "America/New_York"))
    end = start + timedelta(minutes=rng.choice((15, 30, 60)))
    edges = {"start": start, "end": end}
    return {name: {"dateTime": moment.isoformat(), "timeZone": zone} for name, moment in edges.items()}


def _event(world: World, account: Account, rng: random.Random) -> str:
    fields = {"id": f"{rng.getrandbits(100):025x}", "summary": _text(rng), **_times(account, rng)}
    return event_writes.insert(account, _calendar(world, account, rng), fields, by="control").id


def _series(world: World, account: Account, rng: random.Random) -> str:
    rule = rng.choice(("RRULE:FREQ=DAILY;COUNT=10", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE", "RRULE:FREQ=MONTHLY;COUNT=5"))
    fields = {"id": f"{rng.getrandbits(100):025x}", "summary": _text(rng), "recurrence": [rule], **_times(account, rng)}
    return event_writes.insert(account, _calendar(world, account, rng), fields, by="control").id


def _change_event(world: World, account: Account, rng: random.Random) -> str:
    calendar = _calendar(world, account, rng)
    if not (found := _events(calendar)):
        return _event(world, account, rng)
    fields = {"summary": _text(rng), "colorId": str(rng.randint(1, 11))}
    return event_writes.patch(account, calendar, rng.choice(found).id, fields, by="control").id


def _cancel_event(world: World, account: Account, rng: random.Random) -> str:
    calendar = _calendar(world, account, rng)
    if not (found := _events(calendar)):
        return _event(world, account, rng)
    sparse = rng.random() < 0.3  # noqa: PLR2004 - Google tells little about some
    return event_writes.cancel(account, calendar, rng.choice(found).id, by="control", sparse=sparse).id


def _exception(world: World, account: Account, rng: random.Random) -> str:
    """An instance of a series is changed or cancelled."""
    calendar = _calendar(world, account, rng)
    if not (found := _events(calendar, series=True)):
        return _series(world, account, rng)
    series = rng.choice(found)
    keys = [key for key, _ in islice(recurrence.instances(series.fields, calendar.time_zone), 5)]
    key = rng.choice(keys)
    if event_writes.found(calendar, key).cancelled:
        return key
    if rng.random() < 0.5:  # noqa: PLR2004 - one as often as the other
        return event_writes.cancel(account, calendar, key, by="control").id
    return event_writes.patch(account, calendar, key, {"summary": _text(rng)}, by="control").id


def _mail(world: World, account: Account, rng: random.Random) -> str:
    del world
    text = _text(rng)
    raw = f"From: ada@example.com\r\nTo: {account.email}\r\nSubject: {text}\r\n\r\n{text}\r\n".encode()
    key, labels = f"{rng.getrandbits(64):016x}", ["UNREAD", "INBOX"]
    return account.mailbox.put(parse(raw), lambda: raw, len(raw), labels, by="control", key=key).id


def _relabel(world: World, account: Account, rng: random.Random) -> str:
    box = account.mailbox
    if not box.messages:
        return _mail(world, account, rng)
    message = box.messages[rng.choice(list(box.messages))]
    names = rng.sample(["STARRED", "UNREAD", "IMPORTANT", "TRASH", "INBOX", "SPAM"], 2)
    box.relabel(message, names[:1], names[1:], by="control")
    return message.id


def _delete_mail(world: World, account: Account, rng: random.Random) -> str:
    box = account.mailbox
    if not box.messages:
        return _mail(world, account, rng)
    message = box.messages[rng.choice(list(box.messages))]
    box.delete(message, by="control")
    return message.id


def _text(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(1, 12)))


CHANGES: dict[str, dict[str, Change]] = {
    "calendar": {
        "event": _event,
        "series": _series,
        "change_event": _change_event,
        "cancel_event": _cancel_event,
        "exception": _exception,
    },
    "gmail": {"mail": _mail, "relabel": _relabel, "delete_mail": _delete_mail},
}
