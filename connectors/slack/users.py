"""The people and bots of a workspace."""

from collections.abc import AsyncIterator, Mapping
from typing import ClassVar

from connectors.base import Change, Cursor, Key, Page, Stream, Window
from connectors.client import Client
from connectors.columns import Column
from connectors.errors import Missing
from connectors.slack.answers import found
from connectors.slack.lists import read_list
from connectors.slack.outlines import id_of
from connectors.slack.shapes import USER


class Users(Stream):
    """Members of the workspace, deactivated ones and bots among them.

    Slack deactivates users and deletes none, so one that is absent is only out of sight.
    """

    name = "users"
    columns: ClassVar[Mapping[str, Column]] = USER
    source = "https://docs.slack.dev/reference/objects/user-object"
    told_by = ("team_join", "user_change")
    scopes: ClassVar[frozenset[str]] = frozenset({"users:read"})
    absent_where: ClassVar[Mapping[str, str]] = {"id": ""}  # no row is like that

    async def pages(self, client: Client, cursor: Cursor) -> AsyncIterator[Page]:
        async for page, following in read_list(client, "users.list", "members", {}, cursor):
            yield Page(page.records, following)

    async def read(self, client: Client, key: Key) -> bytes | None:
        (user,) = key
        try:
            return await client.get("/api/users.info", found("user", user), {"user": user})
        except Missing:
            return None


async def read_users(client: Client) -> AsyncIterator[Change]:
    """Everybody as they are now: Slack has no list of those that have changed."""
    met: set[Key] = set()
    async for page, following in read_list(client, "users.list", "members", {}, {}):
        met |= {(user,) for record in page.records if (user := id_of(record))}
        yield Change("users", Page(page.records), window=Window(frozenset(met)) if following is None else None)
