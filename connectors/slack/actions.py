"""What Slack is asked to do.

Slack knows no idempotency keys, so a message carries the action's key in its metadata, where an answer that was lost is
looked for. https://docs.slack.dev/messaging/message-metadata
"""

import json
import time
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from pydantic import Field

from connectors.actions import Action, Asked, Id, Result, Sending, Text
from connectors.answers import Answer, UnparsableError
from connectors.client import Client
from connectors.errors import Declined, Unproved
from connectors.request import Request
from connectors.slack.answers import Listed, listed
from connectors.slack.channels import Listing
from connectors.slack.refusals import meaning
from connectors.slack.settings import TITLE, load

_POST = "/api/chat.postMessage"
_HISTORY = "/api/conversations.history"
_FORM = "application/x-www-form-urlencoded"
_EVENT = "syncline_action"
_LONGEST_TEXT, _MOST_BLOCKS, _MOST_ATTACHMENTS = 40_000, 50, 100
_MARGIN = 60.0
"""Seconds before the first attempt at which a message of it cannot have been posted."""
_MOST_PAGES = 10

_REASONS = {
    "channel_not_found": "{provider} has no such channel, or the app is not in it. Check the id; invite the app.",
    "not_in_channel": "The app is not in this {provider} channel. Invite it to the channel, then try again.",
    "is_archived": "This {provider} channel is archived: nobody can post in it.",
    "missing_scope": "{provider} was connected without permission to post. Connect the workspace again and allow it.",
    "no_text": "The message is empty. Give it a text.",
    "msg_too_long": "The text is longer than {provider} takes. Shorten it.",
    "msg_blocks_too_long": "The blocks are longer than {provider} takes. Shorten them.",
    "invalid_blocks": "{provider} did not accept the blocks. Check them in its Block Kit Builder.",
    "invalid_blocks_format": "{provider} did not accept the blocks. Check them in its Block Kit Builder.",
    "invalid_attachments": "{provider} did not accept the attachments.",
    "too_many_attachments": "These are more attachments than {provider} takes.",
    "restricted_action": "The workspace's settings do not let the app post there. Ask its administrator.",
    "restricted_action_read_only_channel": "Only some people may post in this channel. Ask its administrator.",
    "restricted_action_thread_only_channel": "Only threads may be posted in this channel.",
    "team_access_not_granted": "The app may not post in this workspace. Ask its administrator.",
    "ekm_access_denied": "The workspace's administrators have suspended posting for now.",
    "user_not_found": "{provider} has no such person.",
    "cannot_reply_to_message": "This message cannot be replied to.",
    "message_limit_exceeded": "This workspace may post no more messages today.",
}


class Message(Asked):
    """What is posted, https://docs.slack.dev/reference/methods/chat.postMessage."""

    channel: Id = Field(description="The channel's id, such as C….", examples=["C061EG9T2"])
    text: Annotated[Text, Field(min_length=1, max_length=_LONGEST_TEXT, description="In Slack's mrkdwn.")]
    blocks: list[dict[str, Any]] | None = Field(None, max_length=_MOST_BLOCKS, description="Block Kit.")
    attachments: list[dict[str, Any]] | None = Field(None, max_length=_MOST_ATTACHMENTS)


class PostMessage(Action):
    name = "slack.post_message"
    summary = "Post a message in a channel as the app."
    body = Message
    scopes = frozenset({"chat:write"})

    async def perform(self, client: Client, asked: Message, sending: Sending) -> Result:
        fields = {"channel": asked.channel, "text": asked.text, "metadata": _metadata(sending.key)}
        fields |= {"blocks": json.dumps(asked.blocks)} if asked.blocks else {}
        fields |= {"attachments": json.dumps(asked.attachments)} if asked.attachments else {}
        request = Request("POST", _POST, _POST.encode(), urlencode(fields).encode(), {"content-type": _FORM})
        return await client.send(request, _posted)

    async def look(self, client: Client, asked: Message, sending: Sending) -> Result:
        """Found is proof; not found is none, since the message may have been deleted or be still on its way."""
        channel, latest = await _id(client, asked.channel), None
        for _ in range(_MOST_PAGES):
            page = await _history(client, channel, latest)
            marks = [_mark(record) for record in page.records]
            for mark in marks:
                if mark is not None and mark.key == sending.key:
                    return {"channel": channel, "ts": mark.ts}
            oldest = min((mark.ts for mark in marks if mark is not None and mark.ts), default="")
            if not page.more or not oldest or float(oldest) < _first_attempt(page, sending) - _MARGIN:
                break
            latest = oldest
        raise Unproved(TITLE)


ACTIONS = (PostMessage(),)


class _Payload(msgspec.Struct):
    key: Any = None


class _Metadata(msgspec.Struct):
    event_type: Any = None
    event_payload: _Payload | None = None


class _Message(msgspec.Struct):
    ts: str
    metadata: _Metadata | None = None

    @property
    def key(self) -> Any:
        """The key of the action that posted it."""
        ours = self.metadata and self.metadata.event_type == _EVENT and self.metadata.event_payload
        return ours.key if ours else None


class _Posted(msgspec.Struct):
    ok: bool
    error: Any = None
    channel: str = ""
    ts: str = ""


_decode_message = msgspec.json.Decoder(_Message).decode
_decode_posted = msgspec.json.Decoder(_Posted).decode


def _metadata(key: str) -> str:
    return json.dumps({"event_type": _EVENT, "event_payload": {"key": key}})


def _posted(answer: Answer) -> Result:
    """Where the message stands; what Slack's refusal means, which it says in an answer that looks good."""
    try:
        said = _decode_posted(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnparsableError from None
    if said.ok and said.channel and said.ts:
        return {"channel": said.channel, "ts": said.ts}
    if said.ok:
        raise UnparsableError
    if said.error in _REASONS:
        raise Declined(TITLE, _REASONS[said.error])
    raise meaning(said.error)


async def _id(client: Client, channel: str) -> str:
    """The channel's id: Slack posts to a name as well, but reads by ids alone. Names have no capital letters."""
    if channel.isupper():
        return channel
    name, listing = channel.removeprefix("#"), Listing()
    async for _ in listing.read(client):  # a workspace may have more channels than there is time to list
        for known, outline in listing.outlines.items():
            if outline.name == name:
                return known
    raise Unproved(TITLE)


async def _history(client: Client, channel: str, latest: str | None) -> Listed:
    """The newest messages of the channel, or those before *latest*, with their metadata."""
    params: dict[str, str | int] = {"channel": channel, "limit": load().message_page, "include_all_metadata": "true"}
    return await client.get(_HISTORY, listed("messages"), params | ({"latest": latest} if latest else {}))


def _mark(record: bytes) -> _Message | None:
    try:
        return _decode_message(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _first_attempt(page: Listed, sending: Sending) -> float:
    """When the first attempt was made, by Slack's clock."""
    now = page.now.timestamp() if page.now else time.time()
    return now - sending.age.total_seconds()
