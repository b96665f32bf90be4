"""What is asked of the Google Calendar API, and that an answer is what was asked for.

https://developers.google.com/workspace/calendar/api/v3/reference
"""

from connectors.answers import Answer, UnparsableError
from connectors.client import Client
from connectors.google import GoogleApi
from connectors.google_calendar.settings import TITLE, load
from connectors.google_lists import GoogleList, google_list
from connectors.session import Limit

NAME = "google_calendar"

# https://developers.google.com/workspace/calendar/api/guides/quota
_PER_USER = Limit(600, 60)
_PER_PROJECT = Limit(10_000, 60)

API = GoogleApi(NAME, TITLE, "calendar.v3", lambda: load().api_url, _PER_USER, _PER_PROJECT)

CALENDARS_A_PAGE = 250
EVENTS_A_PAGE = 250
"""Google's own default; up to 2,500 are allowed, but events with hundreds of guests would make answers too large."""


async def list_calendars(client: Client, page: str | None) -> GoogleList:
    """One page of the calendars that the account has on its list, hidden ones too."""
    request = API.request(client, "calendarList.list", maxResults=CALENDARS_A_PAGE, showHidden=True, pageToken=page)

    def parse(answer: Answer) -> GoogleList:
        return google_list(answer.content, "items", "calendar#calendarList")

    return await client.ask(request, parse)


async def list_events(client: Client, calendar_id: str, page: str | None, sync_token: str | None) -> GoogleList:
    """One page of a calendar's events, or of those that changed since a sync token.

    Everything but the tokens is always the same: a sync token holds only for what the first list was asked with.
    """
    request = API.request(
        client,
        "events.list",
        calendarId=calendar_id,
        singleEvents=False,
        showDeleted=True,
        maxResults=EVENTS_A_PAGE,
        pageToken=page,
        syncToken=sync_token,
    )

    def parse(answer: Answer) -> GoogleList:
        got = google_list(answer.content, "items", "calendar#events")
        # The last page bears a sync token. One that has neither that nor events proves nothing.
        if got.next_page is None and not got.given and sync_token_of(got) is None:
            raise UnparsableError
        return got

    return await client.ask(request, parse)


def sync_token_of(page: GoogleList) -> str | None:
    """The token that the last page of a list ends with."""
    token = page.beside.get("nextSyncToken")
    return token if isinstance(token, str) and token else None
