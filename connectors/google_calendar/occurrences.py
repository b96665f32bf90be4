"""What takes place in a calendar at a certain time: series expanded, asked of Google at once and stored nowhere.

The tables hold series as they are; expanding them here would be guessing at Google's own rules.
"""

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from connectors.answers import Answer
from connectors.client import Client
from connectors.errors import Declined, Missing
from connectors.google_calendar.api import API, EVENTS_A_PAGE
from connectors.google_calendar.calendars import READ
from connectors.google_calendar.records import of_calendar
from connectors.google_calendar.settings import TITLE
from connectors.google_lists import GoogleList, Walk, google_list
from connectors.live import LiveRead

_LONGEST = timedelta(days=366)
_MOST = 5_000
_TOO_MANY = f"There are more than {_MOST:,} occurrences in that time. Ask for a shorter one."
_NO_CALENDAR = "{provider} knows no calendar of that id for this account. The ids are in the table of calendars."


class Wanted(BaseModel):
    """A calendar and a time, which begins at `time_min` and ends before `time_max`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    calendar_id: str = Field(
        min_length=1, max_length=1024, description="From the table of calendars.", examples=["ann@example.com"]
    )
    time_min: AwareDatetime = Field(description="With a time zone.", examples=["2026-11-01T00:00:00Z"])
    time_max: AwareDatetime = Field(description="At most 366 days later.", examples=["2026-12-01T00:00:00Z"])

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        try:
            length = self.time_max - self.time_min
            self.time_min.astimezone(UTC), self.time_max.astimezone(UTC)
        except OverflowError:
            raise ValueError("a time within the years 1 to 9999") from None
        if not timedelta(0) < length <= _LONGEST:
            raise ValueError("time_max must be later than time_min, by 366 days at most")
        return self


class Occurrences(LiveRead):
    """Everything that takes place in the time, in order of its start; a series once for each time it does."""

    name = "calendar-occurrences"
    summary = "What takes place in a calendar in a time of up to 366 days: series expanded, in order of start."
    parameters = Wanted
    scopes = frozenset({READ})

    async def read(self, client: Client, asked: Wanted) -> Sequence[bytes]:
        way, page, found = Walk(TITLE), None, list[bytes]()
        while True:
            try:
                got = await _list(client, asked, page)
            except Missing:
                raise Declined(TITLE, _NO_CALENDAR) from None
            if way.leads_nowhere(page, got):
                continue
            found += [of_calendar(asked.calendar_id, record) for record in got.records]
            if len(found) > _MOST:
                raise Declined(TITLE, _TOO_MANY)
            if got.next_page is None:
                return found
            page = got.next_page


async def _list(client: Client, asked: Wanted, page: str | None) -> GoogleList:
    request = API.request(
        client,
        "events.list",
        calendarId=asked.calendar_id,
        singleEvents=True,
        orderBy="startTime",
        timeMin=asked.time_min.astimezone(UTC).isoformat(),
        timeMax=asked.time_max.astimezone(UTC).isoformat(),
        maxResults=EVENTS_A_PAGE,
        pageToken=page,
    )

    def parse(answer: Answer) -> GoogleList:
        return google_list(answer.content, "items", "calendar#events")

    return await client.ask(request, parse)
