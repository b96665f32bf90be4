"""The calendars on an account's list."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from connectors.answers import Answer, UnparsableError
from connectors.base import Cursor, Key, Page, Stream
from connectors.client import Client
from connectors.columns import Column
from connectors.errors import Broken, Missing
from connectors.google_calendar import shapes
from connectors.google_calendar.api import API, list_calendars
from connectors.google_calendar.records import calendar_outline
from connectors.google_calendar.settings import TITLE
from connectors.google_errors import Invalid, SyncTokenGone
from connectors.google_lists import GoogleList, Walk

READ = "https://www.googleapis.com/auth/calendar.readonly"
"""What a user grants so that calendars and events can be read."""

_VIRTUAL = "@group.v.calendar.google.com"
_MOST_RESTARTS = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A calendar as we speak of it."""

    id: str
    title: str
    owner: bool

    @property
    def tells_deletions(self) -> bool:
        """Whether deletions are told at all: birthdays, holidays and others that Google itself makes never do."""
        return not self.id.endswith(_VIRTUAL)


def entries_of(records: list[bytes]) -> list[Entry]:
    """The calendars in these records; one without an id cannot be spoken of."""
    found: list[Entry] = []
    for record in records:
        seen = calendar_outline(record)
        if isinstance(seen.id, str) and seen.id:
            titles = (seen.summaryOverride, seen.summary, seen.id)
            title = next(said for said in titles if isinstance(said, str) and said)
            found.append(Entry(seen.id, title, seen.accessRole == "owner"))
    return found


async def walk_calendars(client: Client, page: str | None = None) -> AsyncIterator[GoogleList]:
    """The list from a page on; from its beginning again when the token of that page no longer holds."""
    way, restarts = Walk(TITLE), 0
    while True:
        try:
            got = await list_calendars(client, page)
        except (Invalid, SyncTokenGone):
            if page is None or restarts == _MOST_RESTARTS:
                raise Broken(TITLE) from None
            page, way, restarts = None, Walk(TITLE), restarts + 1
            continue
        if way.leads_nowhere(page, got):
            continue
        yield got
        if got.next_page is None:
            return
        page = got.next_page


async def find_entries(client: Client) -> list[Entry]:
    """Every calendar on the list."""
    return [entry async for got in walk_calendars(client) for entry in entries_of(got.records)]


class Calendars(Stream):
    """The calendars on the user's list, with the user's own settings for each.

    One that is no longer on it is a tombstone if it was the user's own; of another it may be access that was lost.
    """

    name = "calendars"
    columns: ClassVar[Mapping[str, Column]] = shapes.CALENDAR
    source = "https://developers.google.com/workspace/calendar/api/v3/reference/calendarList"
    told_by = ("calendarList.watch",)
    scopes = frozenset({READ})
    absent_where: ClassVar[Mapping[str, str]] = {"access_role": "owner"}

    async def pages(self, client: Client, cursor: Cursor) -> AsyncIterator[Page]:
        async for got in walk_calendars(client, cursor.get("page")):
            yield Page(got.records, None if got.next_page is None else {"page": got.next_page})

    async def read(self, client: Client, key: Key) -> bytes | None:
        (wanted,) = key

        def parse(answer: Answer) -> bytes | None:
            record = answer.content.strip()
            seen = calendar_outline(record)
            if seen.id != wanted:
                raise UnparsableError
            return None if seen.deleted is True else record

        try:
            return await client.ask(API.request(client, "calendarList.get", calendarId=wanted), parse)
        except Missing:
            return None
