"""What changed: the list of calendars, read again whole, and each calendar's events since its sync token.

The change cursor of the events is `{calendar id: {"token", "title", "owner", "at"}}`. A calendar without a token, be it
new on the list, one whose token is gone, or one that never tells deletions, is read whole, and only of that calendar
rows are then absent. https://developers.google.com/workspace/calendar/api/guides/sync
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Change, Coverage, Cursor, Key, Page, Window
from connectors.client import Client
from connectors.errors import Broken, ConnectorError, Missing, Refused, Unavailable
from connectors.google_calendar.calendars import Calendars, Entry, entries_of, walk_calendars
from connectors.google_calendar.events import Events, closed, piece, unshared, walk_events
from connectors.google_errors import SyncTokenGone

Pieces = dict[str, Mapping[str, Any]]

_MOST_FAILURES = 2
"""One calendar that fails stops no other; when more do, it is no matter of calendars."""


async def changes(client: Client, cursors: Mapping[str, Cursor]) -> AsyncIterator[Change]:
    """The calendars as they are, then what changed in each, the stalest first."""
    if not cursors:
        return
    entries: list[Entry] = []
    async for got in walk_calendars(client):
        entries += entries_of(got.records)
        if Calendars.name in cursors:
            window = None if got.next_page else Window(frozenset((entry.id,) for entry in entries))
            yield Change(Calendars.name, Page(got.records), window=window)
    if Events.name in cursors:
        async for change in _events(client, entries, dict(cursors[Events.name])):
            yield change


async def changes_of(client: Client, subjects: Sequence[str], cursors: Mapping[str, Cursor]) -> AsyncIterator[Change]:
    """What changed in these calendars alone, the others' places stay; "" stands for their list.

    Where the list is among them everything is looked through. So it is when one of them cannot be read, or is none that
    we follow: only a look at all calendars can tell people which are out of reach.
    """
    pieces: Pieces = dict(cursors.get(Events.name) or {})
    followed = [_entry(subject, pieces[subject]) for subject in subjects if pieces.get(subject, {}).get("token")]
    if len(followed) == len(subjects):
        trouble = _Trouble()
        async for change in _each(client, followed, pieces, trouble):
            yield change
        if not trouble.unreadable:
            trouble.tell()
            return
        cursors = {**cursors, Events.name: pieces}
    async for change in changes(client, cursors):
        yield change


def _entry(calendar_id: str, known: Mapping[str, Any]) -> Entry:
    return Entry(calendar_id, str(known.get("title") or calendar_id), bool(known.get("owner")))


@dataclass(slots=True)
class _Trouble:
    """What went wrong with single calendars."""

    unreadable: dict[str, str] = field(default_factory=dict)
    failures: list[ConnectorError] = field(default_factory=list)

    def tell(self) -> None:
        """Raises the first failure, if there was one."""
        if self.failures:
            raise self.failures[0]


async def _events(client: Client, entries: list[Entry], pieces: Pieces) -> AsyncIterator[Change]:
    trouble = _Trouble(_forget_gone(pieces, entries))
    stalest_first = sorted(entries, key=lambda entry: pieces.get(entry.id, {}).get("at", 0))
    async for change in _each(client, stalest_first, pieces, trouble):
        yield change
    yield Change(Events.name, Page(cursor=dict(pieces)), coverage=Coverage(unreadable=trouble.unreadable))
    trouble.tell()


async def _each(
    client: Client, entries: Sequence[Entry], pieces: Pieces, trouble: _Trouble
) -> AsyncGenerator[Change, None]:
    """What changed in each; one that fails stops no other, unless too many do."""
    for entry in entries:
        try:
            async with aclosing(_calendar(client, entry, pieces)) as found:
                async for change in found:
                    yield change
        except (Refused, Missing):
            trouble.unreadable[entry.id] = closed(entry)
        except (Unavailable, Broken) as failure:
            trouble.failures.append(failure)
            if len(trouble.failures) == _MOST_FAILURES:
                return


async def _calendar(client: Client, entry: Entry, pieces: Pieces) -> AsyncGenerator[Change, None]:
    """What changed in one calendar; all of it where that cannot be told. Its new token comes with the last page."""
    token = pieces.get(entry.id, {}).get("token") if entry.tells_deletions else None
    if token is not None:
        try:
            async for change in _since(client, entry, pieces, token):
                yield change
        except SyncTokenGone:
            pass
        else:
            return
    async for change in _since(client, entry, pieces, None):
        yield change


async def _since(client: Client, entry: Entry, pieces: Pieces, token: str | None) -> AsyncIterator[Change]:
    met: set[Key] = set()
    async for step in walk_events(client, entry.id, token=token):
        if step.first:
            met.clear()
        met |= step.found.keys
        yield Change(Events.name, Page(step.found.alive, cancelled=step.found.cancelled))
        for series in step.found.series if token else ():
            yield Change(Events.name, Page(), window=_exceptions(entry.id, series))
        if step.next_page is None:
            pieces[entry.id] = {**piece(entry, step.token), "at": int(time.time())}
            window = None if token else Window(frozenset(met), scope=entry.id)
            yield Change(Events.name, Page(cursor=dict(pieces)), window=window)


def _exceptions(calendar_id: str, series: str) -> Window:
    """The exceptions of a series that is gone: Google need not tell of each that it is gone too."""
    return Window(frozenset(), scope=calendar_id, low=f"{series}_0", high=f"{series}_:")  # the digits end before ':'


def _forget_gone(pieces: Pieces, entries: list[Entry]) -> dict[str, str]:
    """No token is left of calendars that have left the list; what the user is told of those that were not their own."""
    listed = {entry.id for entry in entries}
    told: dict[str, str] = {}
    for calendar_id in pieces.keys() - listed:
        known = pieces.pop(calendar_id)
        if not known["owner"]:  # one's own calendar that is gone is gone, and so are its events
            pieces[calendar_id] = {**known, "token": None}
            told[calendar_id] = unshared(known["title"])
    return told
