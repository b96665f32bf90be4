"""What changed: Stripe's events, as hints of what to read again.

The feed is newest first, whole seconds, a little late and not in order; an event's snapshot is never stored. A stream's
change cursor is `{"at": seconds, "seen": {event id: seconds}}`: everything before `at` has been applied, and of what
came at or after it the events in `seen`. https://docs.stripe.com/api/events
"""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from connectors.answers import Answer
from connectors.base import Change, Cursor, Key, Page
from connectors.client import Client
from connectors.errors import CursorExpired, Refused
from connectors.listing import Listing, listing
from connectors.stripe.hints import Event, read_events
from connectors.stripe.pages import fetch, pages, step
from connectors.stripe.settings import TITLE
from connectors.stripe.streams import STREAMS, StripeStream

_ROUTE = "/v1/events"
_LONGEST_AGE = 29 * 86_400
"""Stripe keeps events for 30 days; a day is left for the reading."""
_LATE = 60
"""Events may turn up so many seconds late (estuary/connectors#2731), so the cursor stays that far behind."""
_WINDOW = 3_600
"""A window is read whole before any of it is applied; where there is more than a page, it is no longer than this."""
_FEW = 25
"""So few events in a window make the next one longer."""
_RECENT = 7 * 86_400
_CHANGE_UNTOLD = tuple(stream for stream in STREAMS if stream.name in {"payment_intents", "refunds"})
"""These change without events: what was created in the last week is read again by list."""


async def newest(client: Client) -> Cursor:
    """Where the feed stands now, by Stripe's clock."""
    answer = await client.get(_ROUTE, _parse_any, {"limit": 1})
    return {"at": _now(answer), "seen": {}}


async def changes(client: Client, cursors: Mapping[str, Cursor]) -> AsyncIterator[Change]:
    """The records that events name, window by window, then the recent ones of streams that change without events.

    One read of the feed serves all streams; each takes only what its own cursor has not had.
    """
    if not cursors:
        return
    marks = {stream: _Mark.of(cursor) for stream, cursor in cursors.items()}
    now = 0
    async for window in _windows(client, marks):
        now = window.now
        for stream, mark in marks.items():
            touched = mark.touched(stream, window.events)
            if touched or window.last:
                yield Change(stream, Page(touched=touched, cursor=mark.move(window)))
    for untold in _CHANGE_UNTOLD:
        if untold.name in cursors:
            async for change in _recent(client, untold, now):
                yield change


async def _recent(client: Client, stream: StripeStream, now: int) -> AsyncIterator[Change]:
    """What was created of late, as it is now; a stream closed to this key stops no other."""
    try:
        async for page in stream.pages(client, {"gte": now - _RECENT}):
            yield Change(stream.name, Page(page.records))
    except Refused as refused:
        yield Change(stream.name, Page(), unavailable=refused)


@dataclass(frozen=True, slots=True)
class _Window:
    """All events of a stretch of time, and Stripe's clock just before they were read."""

    events: list[Event]
    until: int
    now: int
    last: bool


@dataclass(slots=True)
class _Mark:
    """How far one stream has come."""

    at: int
    seen: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: Cursor) -> "_Mark":
        return cls(int(cursor["at"]), dict(cursor.get("seen") or {}))

    def touched(self, stream: str, events: list[Event]) -> list[Key]:
        """The keys of *stream* that new events name, each once."""
        new = (event for event in events if event.created >= self.at and event.id not in self.seen)
        return list(dict.fromkeys((key,) for event in new for named, key in event.touches if named == stream))

    def move(self, window: _Window) -> Cursor:
        """Go on to the window's end, but never nearer to now than late events come."""
        if not window.last:
            self.at = max(self.at, window.until)
            self.seen = {event: at for event, at in self.seen.items() if at >= self.at}
            return self.cursor
        self.seen |= {event.id: event.created for event in window.events}
        self.at = max(self.at, window.now - _LATE)
        self.seen = {event: at for event, at in self.seen.items() if at >= self.at}
        return self.cursor

    @property
    def cursor(self) -> Cursor:
        return {"at": self.at, "seen": dict(self.seen)}


async def _windows(client: Client, marks: Mapping[str, _Mark]) -> AsyncIterator[_Window]:
    """The feed from the oldest mark to now, oldest window first, each whole.

    A window begins as long as the rest and is shortened while it does not fit one page, so that quiet weeks cost one
    request and busy hours one each. CursorExpired, by Stripe's clock, before anything else.
    """
    begin = min(mark.at for mark in marks.values())
    cursor: Cursor = {"gte": begin}
    first = await fetch(client, _ROUTE, {}, cursor)
    now = _now(first.answer)
    _refuse_expired(marks, now)
    length = now - begin
    while True:
        last = "lt" not in cursor
        until = now if last else cursor["lt"]
        if first.listing.has_more and until - begin > _WINDOW + _LATE:
            length = max(_WINDOW, (until - begin) // 8)
        else:
            events = await _whole(client, cursor, first.listing)
            yield _Window(events, until, now, last)
            if last:
                return
            begin = until
            length *= 4 if len(events) < _FEW else 1
        # What is nearer to now than late events come belongs to the last window.
        cursor = {"gte": begin} | ({"lt": begin + length} if begin + length <= now - _LATE else {})
        first = await fetch(client, _ROUTE, {}, cursor)
        now = _now(first.answer)


async def _whole(client: Client, cursor: Cursor, first: Listing) -> list[Event]:
    """All events of the window whose first page this is."""
    events = read_events(first.records)
    following = step(cursor, first)
    if following is not None:
        async for page in pages(client, _ROUTE, ({},), following, complete=False):
            events += read_events(page.records)
    return events


def _refuse_expired(marks: Mapping[str, _Mark], now: int) -> None:
    expired = [stream for stream, mark in marks.items() if now - mark.at > _LONGEST_AGE]
    if expired:
        raise CursorExpired(TITLE, expired)


def _now(answer: Answer) -> int:
    """Stripe's clock; ours only when Stripe does not tell."""
    date = answer.date
    return int(date.timestamp() if date else time.time())


def _parse_any(answer: Answer) -> Answer:
    """The answer, once it is certain to be a list."""
    listing(answer.content)
    return answer
