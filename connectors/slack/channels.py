"""Slack's channels, public ones and those private ones that the app is in; archived ones are among them."""

from collections.abc import AsyncIterator, Mapping
from typing import ClassVar

from connectors.base import Change, Cursor, Key, Page, Stream, Window
from connectors.client import Client
from connectors.columns import Column
from connectors.errors import Refused
from connectors.slack.answers import found
from connectors.slack.lists import read_list
from connectors.slack.outlines import ChannelOutline, channel_outline
from connectors.slack.shapes import CHANNEL

_PRIVATE = "groups:read"


class Channels(Stream):
    """Conversations that have a name. A private one that is absent may only be out of sight, so it is kept."""

    name = "channels"
    columns: ClassVar[Mapping[str, Column]] = CHANNEL
    source = "https://docs.slack.dev/reference/objects/conversation-object"
    told_by = (
        "channel_created",
        "channel_rename",
        "channel_archive",
        "channel_unarchive",
        "channel_deleted",
        "channel_id_changed",
        "channel_left",
        "group_rename",
        "group_archive",
        "group_unarchive",
        "group_deleted",
        "group_left",
        "member_joined_channel",
        "member_left_channel",
    )
    scopes: ClassVar[frozenset[str]] = frozenset({"channels:read"})
    absent_where: ClassVar[Mapping[str, str]] = {"is_private": "false"}

    async def pages(self, client: Client, cursor: Cursor) -> AsyncIterator[Page]:
        async for page, following in read_list(client, "conversations.list", "channels", _kinds(client), cursor):
            yield Page(page.records, following)

    async def read(self, client: Client, key: Key) -> bytes | None:
        (channel,) = key
        asked = {"channel": channel, "include_num_members": "true"}  # as the list has it
        try:
            return await client.get("/api/conversations.info", found("channel", channel), asked)
        except Refused as refused:
            if refused.code != "channel_not_found":
                raise
        return None


class Listing:
    """All channels as they are listed now."""

    def __init__(self) -> None:
        self.outlines: dict[str, ChannelOutline] = {}
        self.whole = False
        self.now: float | None = None
        """Slack's clock when the list ended."""

    async def read(self, client: Client) -> AsyncIterator[Change]:
        """The changes of the channels stream that this brings."""
        async for page, following in read_list(client, "conversations.list", "channels", _kinds(client), {}):
            self._note(page.records)
            self.now = page.now.timestamp() if page.now else None
            self.whole = following is None
            window = Window(frozenset((channel,) for channel in self.outlines)) if self.whole else None
            yield Change("channels", Page(page.records), window=window)

    def _note(self, records: list[bytes]) -> None:
        outlines = (channel_outline(record) for record in records)
        self.outlines |= {outline.id: outline for outline in outlines if isinstance(outline.id, str)}


def _kinds(client: Client) -> dict[str, str]:
    """Only what may be listed: Slack refuses the whole list for one kind that was not granted."""
    scopes = client.session.scopes
    private = not scopes or _PRIVATE in scopes
    return {
        "types": "public_channel,private_channel" if private else "public_channel",
        "exclude_archived": "false",
    }
