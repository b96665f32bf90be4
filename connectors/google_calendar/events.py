"""The events of every calendar on the list: series and their exceptions, never single instances of a series."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from connectors.answers import Answer, UnparsableError
from connectors.base import Cursor, Key, Page, Stream
from connectors.client import Client
from connectors.columns import Column
from connectors.errors import Broken, Missing, Refused
from connectors.google_calendar import shapes
from connectors.google_calendar.api import API, list_events, sync_token_of
from connectors.google_calendar.calendars import READ, Entry, find_entries
from connectors.google_calendar.records import Sorted, of_calendar, outline, sort_out
from connectors.google_calendar.settings import TITLE
from connectors.google_errors import Invalid, SyncTokenGone
from connectors.google_lists import Walk

_MOST_RESTARTS = 2
_CLOSED = "This account may not read a calendar that was shared with it before. Its events are kept."


@dataclass(frozen=True, slots=True)
class Step:
    """A page of a calendar's events; `token` comes with the last. What came before the `first` page counts no more."""

    found: Sorted
    first: bool
    next_page: str | None
    token: str | None


async def walk_events(
    client: Client, calendar_id: str, *, page: str | None = None, token: str | None = None
) -> AsyncIterator[Step]:
    """A calendar's events from a page on, or with *token* those that changed since; begun again when a page is gone.

    Raises SyncTokenGone when it is the sync token that no longer holds.
    """
    way, restarts = Walk(TITLE), 0
    while True:
        try:
            got = await list_events(client, calendar_id, page, token)
        except (Invalid, SyncTokenGone) as refused:
            if token is not None and (page is None or _is_about_sync_token(refused)):
                raise SyncTokenGone(TITLE) from None
            if page is None or restarts == _MOST_RESTARTS:
                raise Broken(TITLE) from None
            page, way, restarts = None, Walk(TITLE), restarts + 1
            continue
        if way.leads_nowhere(page, got):
            continue
        yield Step(sort_out(calendar_id, got.records), page is None, got.next_page, sync_token_of(got))
        if got.next_page is None:
            return
        page = got.next_page


def _is_about_sync_token(refused: Invalid | SyncTokenGone) -> bool:
    return isinstance(refused, SyncTokenGone) or refused.param == "syncToken"


def piece(entry: Entry, token: str | None) -> Mapping[str, Any]:
    """What the change cursor knows of a calendar. Without a token it is read whole each time."""
    return {"token": token if entry.tells_deletions else None, "title": entry.title, "owner": entry.owner}


class Events(Stream):
    """Single events, series, and the exceptions of series; cancelled ones are tombstones with what they were.

    A cancelled instance of a series keeps `recurring_event_id` and `original_start`, which its id tells when Google
    sends nothing but that.
    """

    name = "events"
    key = ("calendar_id", "id")
    columns: ClassVar[Mapping[str, Column]] = shapes.EVENT
    source = "https://developers.google.com/workspace/calendar/api/v3/reference/events"
    told_by = ("events.watch",)
    scopes = frozenset({READ})
    parent = "calendars"

    async def starts(self, client: Client) -> Sequence[Cursor]:
        entries = await find_entries(client)
        return [{"calendar": entry.id, "title": entry.title, "owner": entry.owner} for entry in entries]

    async def pages(self, client: Client, cursor: Cursor) -> AsyncIterator[Page]:
        entry = Entry(cursor["calendar"], cursor["title"], cursor["owner"])
        try:
            async for step in walk_events(client, entry.id, page=cursor.get("page")):
                found = step.found
                if step.next_page is not None:
                    yield Page(found.alive, {**cursor, "page": step.next_page}, cancelled=found.cancelled)
                    continue
                learned = {entry.id: piece(entry, step.token)}
                yield Page(found.alive, None, cancelled=found.cancelled, covered=[entry.id], learned=learned)
        except (Refused, Missing):
            yield Page(unreadable={entry.id: closed(entry)})

    async def read(self, client: Client, key: Key) -> bytes | None:
        calendar_id, event_id = key

        def parse(answer: Answer) -> bytes | None:
            record = answer.content.strip()
            seen = outline(record)
            if seen.id != event_id or seen.kind != "calendar#event":
                raise UnparsableError
            return None if seen.status == "cancelled" else of_calendar(calendar_id, record)

        try:
            return await client.ask(API.request(client, "events.get", calendarId=calendar_id, eventId=event_id), parse)
        except Missing:
            await _refuse_closed(client, calendar_id)
        return None


async def _refuse_closed(client: Client, calendar_id: str) -> None:
    """Refused when it is the calendar that cannot be read: Google says of its events that there are none then."""
    try:
        await client.ask(API.request(client, "events.list", calendarId=calendar_id, maxResults=1), lambda _: None)
    except (Missing, Refused):
        raise Refused(TITLE, _CLOSED) from None


def closed(entry: Entry) -> str:
    """What a user is told of a calendar on the list that cannot be read."""
    return f"The calendar {entry.title} cannot be read by this account; its events are kept as they were."


def unshared(title: str) -> str:
    """What a user is told of a calendar that has left the list and was not the user's own."""
    return f"The calendar {title} is no longer shared with this account or was taken off its list; its events are kept."
