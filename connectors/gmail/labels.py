"""The labels of a mailbox."""

from collections.abc import AsyncIterator, Mapping
from typing import ClassVar

from connectors.base import Cursor, Key, Page, Stream
from connectors.client import Client
from connectors.columns import Column
from connectors.gmail import shapes
from connectors.gmail.api import READ, id_of, list_labels


class Labels(Stream):
    """All labels, Gmail's own and the user's, as the list has them: without the numbers of their messages."""

    name = "labels"
    columns: ClassVar[Mapping[str, Column]] = shapes.LABEL
    source = "https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.labels"
    told_by = ("users.watch",)
    scopes = frozenset({READ})
    asks_by_id = False

    async def pages(self, client: Client, cursor: Cursor) -> AsyncIterator[Page]:
        del cursor
        yield Page(await list_labels(client))

    async def read(self, client: Client, key: Key) -> bytes | None:
        """From the list: read by its id a label has other members, which change with every mail."""
        return next((record for record in await list_labels(client) if id_of(record) == key[0]), None)
