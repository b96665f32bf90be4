"""What Gmail is asked to do.

Gmail knows no idempotency keys, so a mail is made a draft first, and the draft's id committed before it is sent. A
draft that is gone and a message of its thread under SENT are proof; a draft that is still there was not sent, and is
deleted, so that no request that is still on its way can send it.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field

from connectors.actions import Action, Asked, Line, Result, Sending, Text
from connectors.answers import Answer, UnparsableError
from connectors.client import Client
from connectors.errors import ConnectorError, Declined, Missing, Refused, TryLater, Unproved, Unsent
from connectors.gmail.api import API, list_sent
from connectors.gmail.mail import address_of, mail
from connectors.gmail.settings import TITLE
from connectors.google_errors import Invalid

COMPOSE = "https://www.googleapis.com/auth/gmail.compose"

_SETTLED = timedelta(seconds=60)
"""So long after it was made a draft that is still there has not been sent."""
_NOT_ACCEPTED = "{provider} did not accept this mail. Check its addresses and its length."
_NO_RIGHT = "{provider} does not let this account send mail now. Its owner or administrator can tell why."
_NOT_SENT = "The mail was not sent: {provider} did not answer in time, and its draft was deleted. Use a new key to try."


def _checked(address: str) -> str:
    address_of(address)
    return address


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Recipient = Annotated[Line, Field(max_length=320), AfterValidator(_checked)]


class Mail(Asked):
    """What is sent, as plain text."""

    to: Annotated[
        list[Recipient],
        Field(min_length=1, max_length=100, description="One address or several.", examples=[["ada@example.com"]]),
        BeforeValidator(_as_list, json_schema_input_type=list[str] | str),
    ]
    subject: Annotated[Line, Field(max_length=998)]
    body: Annotated[Text, Field(max_length=500_000, description="Plain text.")]


class SendEmail(Action):
    name = "gmail.send_email"
    summary = "Send a mail from this mailbox."
    body = Mail
    scopes = frozenset({COMPOSE})

    async def perform(self, client: Client, asked: Mail, sending: Sending) -> Result:
        raw = mail(asked.to, asked.subject, asked.body, _message_id(client, sending))
        draft = await _draft(client, raw)
        made = {"draft": draft.id, "thread": draft.message.threadId, "after": sending.age.total_seconds()}
        await sending.remember(made)
        try:
            return await _send(client, draft.id)
        except (TryLater, Declined, Refused):
            with suppress(ConnectorError):  # nothing was sent: what is left behind is a draft
                await _delete(client, draft.id)
            raise

    async def look(self, client: Client, asked: Mail, sending: Sending) -> Result | None:
        """Without a draft that is remembered nobody has been asked to send anything."""
        del asked
        draft, thread = sending.memo.get("draft"), sending.memo.get("thread")
        if not isinstance(draft, str) or not isinstance(thread, str):
            return None
        if not await _is_there(client, draft):
            return await _sent_in(client, thread)
        if sending.age - timedelta(seconds=sending.memo.get("after", 0)) < _SETTLED:
            raise Unproved(TITLE)
        try:
            await _delete(client, draft)
        except Missing:  # sent after all, while we looked
            return await _sent_in(client, thread)
        raise Declined(TITLE, _NOT_SENT)


ACTIONS = (SendEmail(),)


class _Ids(msgspec.Struct):
    id: str
    threadId: str  # noqa: N815 - Google's name


class _Draft(msgspec.Struct):
    id: str
    message: _Ids


_decode_ids = msgspec.json.Decoder(_Ids).decode
_decode_draft = msgspec.json.Decoder(_Draft).decode


async def _draft(client: Client, raw: str) -> _Draft:
    """A new draft. One whose answer is lost stays behind, but is never sent."""
    request = API.request(client, "users.drafts.create", body={"message": {"raw": raw}}, userId="me")
    try:
        return await client.send(request, _parse_draft)
    except Unproved:
        raise Unsent(TITLE, "{provider} did not answer, and nothing was sent. Try again in a moment.") from None
    except Refused:
        raise Refused(TITLE, _NO_RIGHT) from None
    except Invalid:
        raise Declined(TITLE, _NOT_ACCEPTED) from None


async def _send(client: Client, draft: str) -> Result:
    request = API.request(client, "users.drafts.send", body={"id": draft}, userId="me")
    try:
        sent = await client.send(request, _parse_ids)
    except Refused:
        raise Refused(TITLE, _NO_RIGHT) from None
    except Missing:
        raise Declined(TITLE, "The mail was not sent: somebody deleted its draft. Use a new key to try.") from None
    except Invalid:
        raise Declined(TITLE, _NOT_ACCEPTED) from None
    return _told(sent)


async def _is_there(client: Client, draft: str) -> bool:
    request = API.request(client, "users.drafts.get", userId="me", id=draft, format="minimal")
    try:
        await client.ask(request, lambda answer: answer.status)
    except Missing:
        return False
    return True


async def _delete(client: Client, draft: str) -> None:
    """The draft is gone, not in the bin."""
    request = API.request(client, "users.drafts.delete", userId="me", id=draft)
    await client.send(request, lambda answer: answer.status)


async def _sent_in(client: Client, thread: str) -> Result:
    """The message of that thread that was sent; Unproved when there is none, since somebody may have deleted it."""
    for record in await list_sent(client):
        try:
            found = _decode_ids(record)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if found.threadId == thread:
            return _told(found)
    raise Unproved(TITLE)


def _message_id(client: Client, sending: Sending) -> str:
    domain = client.session.scope.partition(" ")[0].rpartition("@")[2]
    host = domain if domain.isascii() and domain.replace(".", "").replace("-", "").isalnum() else "localhost"
    return f"<{sending.key}@{host}>"


def _told(ids: _Ids) -> Result:
    return {"message_id": ids.id, "thread_id": ids.threadId}


def _parse_draft(answer: Answer) -> _Draft:
    try:
        return _decode_draft(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnparsableError from None


def _parse_ids(answer: Answer) -> _Ids:
    try:
        return _decode_ids(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnparsableError from None
