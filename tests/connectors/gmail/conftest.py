"""A few lines of Gmail on a real socket: a mailbox with a history, pages and refusals as a test wants them."""

import base64
import time
from dataclasses import dataclass, field

import pytest

from connectors.gmail.api import API
from connectors.session import Session
from tests.connectors.conftest import http

ME = "me@example.com"


def refused(status, reason, location=None):
    error = {"domain": "global", "reason": reason, "message": "raw text"} | ({"location": location} if location else {})
    return http({"error": {"errors": [error], "code": status, "message": "raw text"}}, status)


def encoded(text, charset="utf-8"):
    content = text if isinstance(text, bytes) else text.encode(charset)
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def part(text, kind="text/plain", charset="utf-8", **more):
    headers = [{"name": "Content-Type", "value": f"{kind}; charset={charset}"}]
    return {"mimeType": kind, "filename": "", "headers": headers, "body": {"data": encoded(text, charset)}, **more}


def box(kind, *parts):
    return {"mimeType": f"multipart/{kind}", "filename": "", "headers": [], "body": {"size": 0}, "parts": list(parts)}


def mail(message_id, text="Good day", **more):
    return {
        "id": message_id,
        "threadId": message_id,
        "labelIds": ["INBOX"],
        "snippet": text[:20],
        "historyId": "1",
        "internalDate": "1764000000123",
        "sizeEstimate": 900,
        "payload": part(text),
        **more,
    }


@dataclass
class LittleGmail:
    """`mails` by their ids, in the order of the list; `history` is a list of pages for each history id.

    `refusals` stand in for an answer, by its path's end and page token; several are met one by one.
    """

    mails: dict = field(default_factory=dict)
    labels: list = field(default_factory=lambda: [{"id": "INBOX", "name": "INBOX", "type": "system"}])
    history: dict = field(default_factory=dict)
    newest: int = 100
    refusals: dict = field(default_factory=dict)
    page: int = 500

    def put(self, message_id, text="Good day", **more):
        self.mails[message_id] = mail(message_id, text, **more)

    def answer(self, asked):
        place = asked.path.removeprefix("/gmail/v1/users/me/")
        refusals = self.refusals.get((place, asked.query.get("pageToken")))
        if refusals:
            refusal = refusals.pop(0) if isinstance(refusals, list) else refusals
            return refusal() if callable(refusal) else refusal
        kind, _, wanted = place.partition("/")
        if kind == "profile":
            return http({"emailAddress": ME, "messagesTotal": len(self.mails), "historyId": str(self.newest)})
        if kind == "labels":
            return http({"labels": self.labels})
        if kind == "history":
            return self._history(asked.query)
        return self._get(wanted) if wanted else self._list(asked.query)

    def _get(self, wanted):
        known = self.mails.get(wanted)
        if isinstance(known, bytes):
            return http(known)
        return http(known) if known is not None else refused(404, "notFound")

    def _list(self, query):
        start, ids = int(query.get("pageToken", "0")), list(self.mails)
        found = [{"id": known, "threadId": known} for known in ids[start : start + self.page]]
        more = {"nextPageToken": str(start + self.page)} if start + self.page < len(ids) else {}
        return http(({"messages": found} if found else {}) | more | {"resultSizeEstimate": len(ids)})

    def _history(self, query):
        pages = self.history.get(query["startHistoryId"], [[]])
        number = int(query.get("pageToken", "0"))
        more = {"nextPageToken": str(number + 1)} if number + 1 < len(pages) else {}
        return http(({"history": pages[number]} if pages[number] else {}) | more | {"historyId": str(self.newest)})


def told(history_id, kind, *message_ids):
    return {"id": str(history_id), kind: [{"message": {"id": each, "threadId": each}} for each in message_ids]}


@pytest.fixture
def gmail(provider, monkeypatch):
    """The little mailbox."""
    monkeypatch.setenv("SYNCLINE_GMAIL_API_URL", provider.url)
    little = LittleGmail()
    provider.answer = little.answer
    return little


@pytest.fixture
async def mailbox(gmail, throttle, records):
    """A client for it."""
    credentials = {"access_token": "ya29.canary"}
    session = Session(credentials, f"{ME}:live", "live", throttle, records.append, time.monotonic() + 30)
    async with API.open(session) as opened:
        yield opened
