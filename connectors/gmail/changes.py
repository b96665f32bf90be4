"""What changed: the mailbox's history since a history id, and the list of labels, which is read whole.

History gives ids only. A message whose labels changed is read again whole: that costs as many units as its labels
alone, and what is stored is then what a full read would bring.
https://developers.google.com/workspace/gmail/api/guides/sync
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import msgspec

from connectors.base import Change, Cursor, Key, Page, Window
from connectors.client import Client
from connectors.errors import CursorExpired, Missing
from connectors.gmail.api import id_of, is_number, list_history, list_labels, profile
from connectors.gmail.labels import Labels
from connectors.gmail.messages import Messages
from connectors.gmail.settings import TITLE
from connectors.google_errors import Invalid
from connectors.google_lists import GoogleList, Walk

_TOUCHING = ("messagesAdded", "labelsAdded", "labelsRemoved")
_DELETING = "messagesDeleted"


async def newest(client: Client) -> Cursor:
    """Where the history stands now."""
    return {"history": (await profile(client)).historyId}


async def changes(client: Client, cursors: Mapping[str, Cursor]) -> AsyncIterator[Change]:
    """What happened to messages, then the labels as they are."""
    if Messages.name in cursors:
        async for change in _messages(client, cursors[Messages.name]["history"]):
            yield change
    if Labels.name in cursors:
        records = await list_labels(client)
        keys = frozenset((label,) for record in records if (label := id_of(record)) is not None)
        yield Change(Labels.name, Page(records), window=Window(keys))


async def _messages(client: Client, since: str) -> AsyncIterator[Change]:
    """The cursor moves with the last page: to where the history stood at the first, or to what was told after it."""
    page: str | None = None
    walk, mark = Walk(TITLE), int(since)
    while True:
        got = await _history(client, since, page)
        if walk.leads_nowhere(page, got):
            continue
        if page is None:
            mark = max(mark, int(got.beside["historyId"]))
        told = _told(got.records)
        mark = max(mark, told.last)
        moved = {"history": str(mark)} if got.next_page is None else None
        yield Change(Messages.name, Page(touched=told.touched, deleted=told.deleted, cursor=moved))
        if got.next_page is None:
            return
        page = got.next_page


async def _history(client: Client, since: str, page: str | None) -> GoogleList:
    try:
        return await list_history(client, since, page)
    except Missing:
        raise CursorExpired(TITLE, (Messages.name,)) from None
    except Invalid:
        if page is None:
            raise
        raise CursorExpired(TITLE, (Messages.name,)) from None


class _Told(msgspec.Struct):
    """What a page of history is about; of a message the last word counts."""

    last: int
    touched: list[Key]
    deleted: list[Key]


def _told(records: Iterable[bytes]) -> _Told:
    fates: dict[str, bool] = {}
    last = 0
    for record in records:
        members = _members(record)
        said = members.get("id")
        last = max(last, int(said or 0) if is_number(said) else 0)
        for kind in _TOUCHING:
            fates |= dict.fromkeys(_named(members.get(kind)), False)
        fates |= dict.fromkeys(_named(members.get(_DELETING)), True)
    touched: list[Key] = [(named,) for named, gone in fates.items() if not gone]
    deleted: list[Key] = [(named,) for named, gone in fates.items() if gone]
    return _Told(last, touched, deleted)


_decode = msgspec.json.Decoder().decode


def _members(record: bytes) -> dict[str, Any]:
    try:
        found = _decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CursorExpired(TITLE, (Messages.name,)) from None  # whatever it tells, a full read brings it
    return found if isinstance(found, dict) else {}


def _named(entries: object) -> Iterable[str]:
    """The ids of the messages in the entries of one kind."""
    for entry in entries if isinstance(entries, list) else ():
        found = entry.get("message") if isinstance(entry, dict) else None
        named = found.get("id") if isinstance(found, dict) else None
        if isinstance(named, str) and named:
            yield named
