"""The messages of a mailbox: their ids page by page, and each message by its id."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from connectors.base import Cursor, Key, Page, Stream
from connectors.client import Client
from connectors.columns import Column
from connectors.errors import Broken, ConnectorError, Missing
from connectors.gmail import shapes
from connectors.gmail.api import API, READ, id_of, list_messages
from connectors.gmail.records import message
from connectors.gmail.settings import TITLE
from connectors.google_errors import Invalid
from connectors.google_lists import GoogleList, Walk

MESSAGES_A_PAGE = 100
_AT_ONCE = 8
"""Gets of one part under way; eight parts together keep every connection busy."""
_SECONDS_A_PAGE = 5.0
"""Where the limit is low, fewer messages make a page, so that what was read is soon stored."""
_BYTES_A_PAGE = 8 * 1024 * 1024
_MOST_RESTARTS = 2
_POSSIBLE = re.compile(r"[0-9a-f]{1,32}")


class Messages(Stream):
    """All messages, sent ones, drafts, spam and trash too, each whole but for its attachments.

    Of an attachment there is its name, size and id. A message is a tombstone once it is deleted for good.
    """

    name = "messages"
    columns: ClassVar[Mapping[str, Column]] = shapes.MESSAGE
    source = "https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages"
    told_by = ("users.watch",)
    scopes = frozenset({READ})

    async def pages(self, client: Client, cursor: Cursor) -> AsyncIterator[Page]:
        """A cursor holds the ids that are known and not yet read, and the token of the page of ids after them."""
        ids: list[str] = list(cursor.get("ids", ()))
        page: str | None = cursor.get("page")
        walk = _Ids(client)
        if not ids:
            ids, page = await walk.after(page)
        while True:
            step = await _read_some(client, ids)
            ids = ids[step.count :]
            rest: Cursor = ({"ids": ids} if ids else {}) | ({"page": page} if page else {})
            yield Page(step.records, rest or None, deleted=step.gone)
            if not rest:
                return
            if not ids:
                ids, page = await walk.after(page)

    def split(self, cursor: Cursor) -> tuple[Cursor, Cursor] | None:
        """Ids that are known are read beside the pages after them; the last ones in two halves."""
        ids, page = cursor.get("ids", ()), cursor.get("page")
        if ids and page:
            return {"ids": ids}, {"page": page}
        if len(ids) < 2 * MESSAGES_A_PAGE:
            return None
        half = len(ids) // 2
        return {"ids": ids[:half]}, {"ids": ids[half:]}

    async def read(self, client: Client, key: Key) -> bytes | None:
        (wanted,) = key
        request = API.request(client, "users.messages.get", userId="me", id=wanted, format="full")
        try:
            return await client.ask(request, lambda answer: message(answer.content, wanted))
        except Missing:
            return None
        except Invalid:
            if _POSSIBLE.fullmatch(wanted):
                raise
            return None  # no message ever had such an id


class _Ids:
    """The list of ids, page by page, and a way out of circles."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._walk = Walk(TITLE)
        self._restarts = 0

    async def after(self, page: str | None) -> tuple[list[str], str | None]:
        """The ids on that page and the token of the next. All begins again when a token no longer holds."""
        while True:
            try:
                got = await list_messages(self._client, page)
            except Invalid:
                if page is None or self._restarts == _MOST_RESTARTS:
                    raise Broken(TITLE) from None
                page, self._walk, self._restarts = None, Walk(TITLE), self._restarts + 1
                continue
            if not self._walk.leads_nowhere(page, got):
                return _ids(got), got.next_page


def _ids(got: GoogleList) -> list[str]:
    found = (id_of(record) for record in got.records)
    return list(dict.fromkeys(known for known in found if known is not None))


@dataclass(slots=True)
class _Step:
    """What was read of a list of ids: the first `count` of them."""

    count: int = 0
    records: list[bytes] = field(default_factory=list)
    gone: list[Key] = field(default_factory=list)


async def _read_some(client: Client, ids: Sequence[str]) -> _Step:
    """The first messages of *ids*, in their order: no more than make a page, and none that is gone by now."""
    found: list[bytes | None] = []
    size, until = 0, time.monotonic() + _SECONDS_A_PAGE
    stream = Messages()

    async def read_next() -> None:
        nonlocal size
        while len(found) < min(len(ids), MESSAGES_A_PAGE) and size < _BYTES_A_PAGE and time.monotonic() < until:
            place = len(found)
            found.append(None)
            record = await stream.read(client, (ids[place],))
            found[place] = record
            size += len(record or b"")

    failure: ConnectorError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(ids), _AT_ONCE)):
                group.create_task(read_next())
    except* ConnectorError as failures:
        failure = _first(failures)
    if failure is not None:
        raise failure from None
    step = _Step(len(found))
    for wanted, record in zip(ids, found, strict=False):
        if record is None:
            step.gone.append((wanted,))
        else:
            step.records.append(record)
    return step


def _first(failures: ExceptionGroup[ConnectorError]) -> ConnectorError:
    failed = failures.exceptions[0]
    return _first(failed) if isinstance(failed, ExceptionGroup) else failed
