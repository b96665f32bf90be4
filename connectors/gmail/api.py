"""What is asked of the Gmail API, what it costs, and that an answer is what was asked for.

https://developers.google.com/workspace/gmail/api/reference/rest
"""

import msgspec

from connectors import spans
from connectors.answers import Answer, UnparsableError
from connectors.client import Client
from connectors.gmail.settings import TITLE, load
from connectors.google import GoogleApi
from connectors.google_lists import GoogleList, google_list
from connectors.session import Limit

NAME = "gmail"
READ = "https://www.googleapis.com/auth/gmail.readonly"
"""What a user grants so that messages and labels can be read."""

# Units, https://developers.google.com/workspace/gmail/api/reference/quota
_PER_USER = Limit(6_000, 60)
_PER_PROJECT = Limit(1_200_000, 60)
_AS_A_MESSAGE = 20
_COSTS = {
    "GET /gmail/v1/users/{userId}/profile": 1,
    "GET /gmail/v1/users/{userId}/labels": 1,
    "GET /gmail/v1/users/{userId}/history": 2,
    "GET /gmail/v1/users/{userId}/messages": 5,
    "GET /gmail/v1/users/{userId}/messages/{id}": _AS_A_MESSAGE,
    "GET /gmail/v1/users/{userId}/drafts": 5,
    "GET /gmail/v1/users/{userId}/drafts/{id}": _AS_A_MESSAGE,
    "POST /gmail/v1/users/{userId}/drafts": 10,
    "DELETE /gmail/v1/users/{userId}/drafts/{id}": 10,
    "POST /gmail/v1/users/{userId}/drafts/send": 100,
    "POST /gmail/v1/users/{userId}/watch": 100,
    "POST /gmail/v1/users/{userId}/stop": 50,
}


def cost(method: str, route: str) -> int:
    """The units that a request takes of the limits."""
    return _COSTS.get(f"{method} {route}", _AS_A_MESSAGE)


API = GoogleApi(NAME, TITLE, "gmail.v1", lambda: load().api_url, _PER_USER, _PER_PROJECT, cost)

_IDS_A_PAGE = 500
_HISTORY_A_PAGE = 500


class Profile(msgspec.Struct):
    """Whose mailbox it is, and where its history stands."""

    emailAddress: str  # noqa: N815 - Google's name
    historyId: str  # noqa: N815 - Google's name


_profile = msgspec.json.Decoder(Profile).decode


async def profile(client: Client) -> Profile:
    """The mailbox as it is now."""

    def parse(answer: Answer) -> Profile:
        try:
            found = _profile(answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UnparsableError from None
        if not found.emailAddress or not is_number(found.historyId):
            raise UnparsableError
        return found

    return await client.ask(API.request(client, "users.getProfile", userId="me"), parse)


async def list_messages(client: Client, page: str | None) -> GoogleList:
    """One page of the ids of all messages, those in spam and trash too: both are labels, not deletions."""
    request = API.request(
        client, "users.messages.list", userId="me", includeSpamTrash=True, maxResults=_IDS_A_PAGE, pageToken=page
    )
    return await client.ask(request, lambda answer: google_list(answer.content, "messages"))


async def list_sent(client: Client) -> list[bytes]:
    """The ids of what was sent of late, and of their threads, newest first."""
    request = API.request(client, "users.messages.list", userId="me", labelIds=["SENT"], maxResults=_IDS_A_PAGE)
    return (await client.ask(request, lambda answer: google_list(answer.content, "messages"))).records


async def list_history(client: Client, since: str, page: str | None) -> GoogleList:
    """One page of what happened to messages after *since*."""
    request = API.request(
        client,
        "users.history.list",
        userId="me",
        startHistoryId=since,
        maxResults=_HISTORY_A_PAGE,
        pageToken=page,
    )

    def parse(answer: Answer) -> GoogleList:
        got = google_list(answer.content, "history")
        if not is_number(got.beside.get("historyId")):
            raise UnparsableError
        return got

    return await client.ask(request, parse)


async def list_labels(client: Client) -> list[bytes]:
    """All labels: their list has one page."""
    request = API.request(client, "users.labels.list", userId="me")

    def parse(answer: Answer) -> list[bytes]:
        # Every mailbox has INBOX and others that Gmail itself made, so a list without labels is none.
        got = google_list(answer.content, "labels")
        if not got.records:
            raise UnparsableError
        return got.records

    return await client.ask(request, parse)


def is_number(said: object) -> bool:
    """Whether that is an unsigned number of 64 bits in a string, as Google's JSON has them."""
    return isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) <= 20  # noqa: PLR2004 - digits


def id_of(record: bytes) -> str | None:
    """The id of a record, if it has one."""
    found = spans.scalars(record).get("id")
    return found if isinstance(found, str) and found else None
