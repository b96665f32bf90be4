"""Messages and the replies to them, channel by channel.

A full read has a part for each channel that the app is in. Its cursor is a walk's and the channel's; at its end the
part leaves the channel's place in the change feed.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar

from connectors.answers import Answer
from connectors.base import Cursor, Key, Page, Stream
from connectors.client import Client
from connectors.columns import Column
from connectors.errors import Missing, Refused
from connectors.records import with_members
from connectors.slack.answers import listed
from connectors.slack.channels import Listing
from connectors.slack.outlines import BEFORE_ALL, ChannelOutline, message_outline
from connectors.slack.pace import Pace, back_to
from connectors.slack.shapes import MESSAGE
from connectors.slack.walk import Step, Walk

_SCOPES = {False: "channels:history", True: "groups:history"}


class Messages(Stream):
    """What is said in the channels that the app is in.

    A channel's list is complete between two known times, while asking for single messages costs a request of a bucket
    that may have one a minute: so what it does not bring is gone without being asked for.
    """

    name = "messages"
    key = ("channel_id", "ts")
    columns: ClassVar[Mapping[str, Column]] = MESSAGE
    source = "https://docs.slack.dev/messaging/retrieving-messages"
    told_by = ("message.channels", "message.groups")
    scopes: ClassVar[frozenset[str]] = frozenset({"channels:read", "channels:history"})
    asks_by_id = False
    versions = (("edited", "ts"), ("latest_reply",))
    parent = "channels"

    async def starts(self, client: Client) -> Sequence[Cursor]:
        listing = Listing()
        async for _ in listing.read(client):
            pass
        return [
            {"channel": channel, "private": outline.is_private is True}
            for channel, outline in listing.outlines.items()
            if is_readable(client, outline)
        ]

    async def pages(self, client: Client, cursor: Cursor) -> AsyncIterator[Page]:
        channel, private = str(cursor["channel"]), bool(cursor.get("private"))
        threads = dict(cursor.get("threads") or {})
        walk = Walk.of(channel, Pace.in_force().page, threads, cursor)
        try:
            async for step in walk.steps(client):
                if walk.done:
                    yield _last(walk, step, private=private)
                    return
                forget_old_threads(walk)
                place = {"channel": channel, "private": private, "threads": dict(threads), **walk.cursor}
                yield Page(step.records, place, read_between=step.read_between)
        except Refused as refused:
            if concerns_all(refused, private=private):
                raise
            yield Page(unreadable={channel: str(refused)})

    async def read(self, client: Client, key: Key) -> bytes | None:
        """The message itself where it stands in the channel, else as a reply."""
        channel, ts = key
        one: dict[str, str | int] = {"channel": channel, "oldest": ts, "latest": ts, "inclusive": "true", "limit": 1}

        def parse(answer: Answer) -> bytes | None:
            records = listed("messages")(answer).records
            return next((record for record in records if message_outline(record).ts == ts), None)

        for method, asked in (("history", one), ("replies", one | {"ts": ts, "limit": 2})):
            try:
                record = await client.get(f"/api/conversations.{method}", parse, asked)
            except Missing as missing:
                if missing.param != "ts":
                    raise
                continue
            if record is not None:
                return with_members(record, {"channel_id": channel})
        return None


def is_readable(client: Client, channel: ChannelOutline) -> bool:
    """Whether the app is in the channel, and was granted to read channels of that kind."""
    granted = client.session.scopes
    return channel.is_member is True and (not granted or _SCOPES[channel.is_private is True] in granted)


def concerns_all(refused: Refused, *, private: bool) -> bool:
    """Whether what was refused in one channel is refused in every other one."""
    return refused.code == "missing_scope" and not private


def forget_old_threads(walk: Walk, *others: str) -> None:
    """What is known of threads that no pass will meet again is dropped."""
    first = min(back_to(walk.now), *others, walk.top or BEFORE_ALL)
    for ts in [ts for ts in walk.threads if ts < first]:
        del walk.threads[ts]


def _last(walk: Walk, step: Step, *, private: bool) -> Page:
    """The end of the part. Where replies could not be read, nothing is covered: their rows stay."""
    forget_old_threads(walk)
    place: Cursor = {"newest": walk.top or BEFORE_ALL, "threads": walk.threads, "visited": walk.now or 0.0}
    place |= {"private": True} if private else {}
    if walk.no_replies:
        unreadable = {walk.channel: walk.no_replies}
        return Page(step.records, unreadable=unreadable, learned={walk.channel: place}, read_between=step.read_between)
    learned: Cursor = {walk.channel: place}
    return Page(step.records, covered=[walk.channel], learned=learned, read_between=step.read_between)
