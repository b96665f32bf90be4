"""Google Calendar as a connector."""

from collections.abc import AsyncIterator, Mapping, Sequence

from connectors.answers import Answer, UnparsableError
from connectors.base import Account, Change, Cursor
from connectors.client import Client
from connectors.google_calendar import api, changes
from connectors.google_calendar.actions import ACTIONS, WRITE
from connectors.google_calendar.calendars import READ, Calendars
from connectors.google_calendar.events import Events
from connectors.google_calendar.occurrences import Occurrences
from connectors.google_calendar.push import CalendarPush
from connectors.google_calendar.records import calendar_outline
from connectors.google_calendar.settings import TITLE
from connectors.google_calendar.webhooks import CalendarWebhooks
from connectors.google_oauth import GoogleConnector


class GoogleCalendar(GoogleConnector):
    name = api.NAME
    title = TITLE
    mark = "31"
    api = api.API
    streams = (Calendars(), Events())
    asked_scopes = (READ, WRITE)
    actions = ACTIONS
    webhooks = CalendarWebhooks()
    push = CalendarPush()
    live_reads = (Occurrences(),)
    reads = (
        "The calendars on your list, with their names and colours",
        "The events in them: titles, times, places, guests and descriptions",
    )

    async def identify(self, client: Client) -> Account:
        """The account's e-mail address is the id of its primary calendar."""
        request = self.api.request(client, "calendars.get", calendarId="primary")
        return await client.ask(request, _parse_primary)

    async def change_cursor(self, client: Client) -> Cursor:
        """Nothing: each calendar's sync token is learned with its last page."""
        del client
        return {}

    def changes(self, client: Client, cursors: Mapping[str, Cursor]) -> AsyncIterator[Change]:
        return changes.changes(client, cursors)

    def changes_of(
        self, client: Client, subjects: Sequence[str], cursors: Mapping[str, Cursor]
    ) -> AsyncIterator[Change]:
        """A subject is a calendar's id; an empty one stands for their list."""
        return changes.changes_of(client, subjects, cursors)


def _parse_primary(answer: Answer) -> Account:
    seen = calendar_outline(answer.content)
    if not isinstance(seen.id, str) or not seen.id:
        raise UnparsableError
    return Account(seen.id, seen.summary if isinstance(seen.summary, str) and seen.summary else seen.id)
