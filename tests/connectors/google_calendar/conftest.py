"""A few lines of Google Calendar on a real socket: calendars with pages, tokens and refusals as a test wants them."""

import time
from dataclasses import dataclass, field
from urllib.parse import unquote

import pytest

from connectors.google_calendar.api import API
from connectors.session import Session
from tests.connectors.conftest import http

HOME, TEAM, HOLIDAYS = "me@example.com", "team@group.calendar.google.com", "en.usa#holiday@group.v.calendar.google.com"


def refused(status, reason, location=None):
    error = {"domain": "global", "reason": reason, "message": "raw text"} | ({"location": location} if location else {})
    return http({"error": {"errors": [error], "code": status, "message": "raw text"}}, status)


def event(event_id, **more):
    return {"kind": "calendar#event", "id": event_id, "status": "confirmed", **more}


def gone(event_id):
    return event(event_id, status="cancelled")


@dataclass
class LittleCalendar:
    """`entries` are on the list; `pages` are lists of events by (calendar, sync token or None), one list a page.

    `refusals` stand in for whatever the same names, with the page's number behind them; several are met one by one.
    """

    entries: list = field(default_factory=list)
    pages: dict = field(default_factory=dict)
    refusals: dict = field(default_factory=dict)
    events: dict = field(default_factory=dict)
    tokens: int = 0

    def share(self, calendar_id, role="owner", **more):
        self.entries.append({"id": calendar_id, "summary": calendar_id.partition("@")[0], "accessRole": role, **more})

    def answer(self, asked):
        parts = [unquote(part) for part in asked.path.removeprefix("/calendar/v3/").split("/")]
        if parts == ["users", "me", "calendarList"]:
            listed = {"kind": "calendar#calendarList", "etag": '"1"', "items": self.entries, "nextSyncToken": "list"}
            return http(listed)
        calendar_id = parts[1]
        if len(parts) == 4:
            known = self.events.get((calendar_id, parts[3]))
            return known if isinstance(known, bytes) else http(known) if known else refused(404, "notFound")
        return self._list(calendar_id, asked.query)

    def _list(self, calendar_id, query):
        sync, number = query.get("syncToken"), int(query.get("pageToken", "0").rpartition("-")[2])
        refusals = self.refusals.get((calendar_id, sync, number))
        if refusals:
            refusal = refusals.pop(0) if isinstance(refusals, list) else refusals
            return refusal(query) if callable(refusal) else refusal
        pages = self.pages.get((calendar_id, sync), [[]])
        body = {"kind": "calendar#events", "etag": '"1"', "summary": calendar_id}
        if pages[number]:
            body["items"] = pages[number]
        if number + 1 < len(pages):
            return http(body | {"nextPageToken": f"page-{number + 1}"})
        self.tokens += 1
        return http(body | {"nextSyncToken": f"{calendar_id} {self.tokens}"})


@pytest.fixture
def google(provider, monkeypatch):
    """The little calendar, with the account's own calendar on its list."""
    monkeypatch.setenv("SYNCLINE_GOOGLE_CALENDAR_API_URL", provider.url)
    little = LittleCalendar()
    little.share(HOME)
    provider.answer = little.answer
    return little


@pytest.fixture
async def calendar(google, throttle, records):
    """A client for it."""
    credentials = {"access_token": "ya29.canary"}
    session = Session(credentials, f"{HOME}:live", "live", throttle, records.append, time.monotonic() + 30)
    async with API.open(session) as opened:
        yield opened
