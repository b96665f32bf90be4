"""Lists inside a record, read to their end: Stripe puts no more than ten entries into them.

A list that goes on is closed in place, byte by byte, so that every number of the record stays what it was.
https://docs.stripe.com/api/pagination
"""

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from connectors import spans
from connectors.answers import UnparsableError
from connectors.client import Client
from connectors.errors import Broken, ConnectorError, Missing
from connectors.listing import listing
from connectors.stripe.records import outline
from connectors.stripe.settings import TITLE

_HAS_MORE = b'"has_more"'
_GOES_ON = re.compile(rb'"has_more"\s*:\s*true')
_OWN_ADDRESS = re.compile(r"/v1/([a-z_]+)(?:/([A-Za-z0-9_-]+)/([a-z_]+))?(?:\?([A-Za-z0-9_\-.=&%\[\]]*))?")
_MOST_PAGES = 10_000
_DEEPEST = 4  # lists in entries of lists in entries; Stripe has one level

_FOREIGN = (
    "{provider} named a next page that is not at its own address, which is not followed. What was read is kept: "
    "check the address that is configured for {provider}."
)


@dataclass(frozen=True, slots=True)
class _Open:
    """A list inside a record that goes on, and the two places where it is closed."""

    url: str
    last: str
    empty: bool
    data_end: int
    more: spans.Span


async def complete_all(client: Client, records: list[bytes], content_count: int) -> list[bytes]:
    """*records* with every list inside them whole; *content_count* is how often their page says has_more.

    The records of a page are completed side by side: the throttle decides how fast, not the time of an answer.
    """
    if content_count <= 1:  # the page's own: nothing nested, and nothing to look for in each record
        return records
    failure: ConnectorError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            open_ones = [n for n, record in enumerate(records) if _GOES_ON.search(record)]
            tasks = {n: group.create_task(complete(client, records[n])) for n in open_ones}
    except* ConnectorError as failures:
        failure = _first(failures)
    if failure is not None:
        raise failure from None
    return [tasks[n].result() if n in tasks else record for n, record in enumerate(records)]


def _first(failures: ExceptionGroup[ConnectorError]) -> ConnectorError:
    failed = failures.exceptions[0]
    return _first(failed) if isinstance(failed, ExceptionGroup) else failed


def count_marks(content: bytes) -> int:
    """How often a body says has_more, of itself and of lists inside it."""
    return content.count(_HAS_MORE)


async def complete(client: Client, record: bytes, depth: int = 0) -> bytes:
    """*record* with every list inside it read to its end; the same bytes when nothing goes on."""
    if not _GOES_ON.search(record):
        return record
    if depth > _DEEPEST:
        raise Broken(TITLE, code="endless_list")
    try:
        found = list(_open_lists(record))
    except UnparsableError:  # no object at all: storage says so
        return record
    edits: list[tuple[int, int, bytes]] = []
    for nested in found:
        try:
            rest = await _rest(client, nested, depth)
        except Missing:  # deleted since the page was read: the change feed will say so
            continue
        comma = b"" if nested.empty or not rest else b","
        edits += [(nested.data_end, nested.data_end, comma + b",".join(rest)), (*nested.more, b"false")]
    for begin, end, text in sorted(edits, reverse=True):  # from the end, so that no place moves before its turn
        record = record[:begin] + text + record[end:]
    return record


async def _rest(client: Client, nested: _Open, depth: int) -> list[bytes]:
    """The entries after the ones that the record holds, themselves complete."""
    route, params, values = _own_route(client, nested.url)
    after, got = nested.last, []
    seen = {after}
    for _ in range(_MOST_PAGES):
        query: dict[str, str | int] = {**params, "limit": 100}
        if after:
            query["starting_after"] = after
        page = await client.get(route, lambda answer: listing(answer.content), query, **values)
        got += [await complete(client, record, depth + 1) for record in page.records]
        if not page.has_more:
            return got
        after = next((i for i in (outline(r).id for r in reversed(page.records)) if isinstance(i, str)), "")
        if after in seen:
            break
        seen.add(after)
    raise Broken(TITLE, code="endless_list")


def _own_route(client: Client, url: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """The route, query and path values of a nested list's address; Broken when it is not Stripe's own."""
    own = url.removeprefix(client.api.origin) if url.startswith(client.api.origin + "/") else url
    found = _OWN_ADDRESS.fullmatch(own)
    if not found:
        raise Broken(TITLE, _FOREIGN, code="foreign_address")
    collection, parent, inner, query = found.groups()
    params = {name: value for name, value in parse_qsl(query or "") if name not in {"limit", "starting_after"}}
    if parent is None:
        return f"/v1/{collection}", params, {}
    return f"/v1/{collection}/{{id}}/{inner}", params, {"id": parent}


def _open_lists(record: bytes) -> list[_Open]:
    """Every list in *record*, however deep, that says it goes on and where; outer lists hold inner ones."""
    found: list[_Open] = []
    waiting = [(0, len(record))]
    while waiting:
        span = waiting.pop()
        if not _GOES_ON.search(record, *span):
            continue
        if record[span[0]] == ord("["):
            waiting += spans.elements(record, span)
        elif record[span[0]] == ord("{"):
            parts = spans.members(record, span)
            waiting += parts.values()
            if nested := _as_open(record, parts):
                found.append(nested)
    return found


def _as_open(record: bytes, parts: dict[str, spans.Span]) -> _Open | None:
    if not {"object", "has_more", "data", "url"} <= parts.keys():
        return None
    whole = {name: record[begin:end] for name, (begin, end) in parts.items() if name != "data"}
    begin, end = parts["data"]
    if whole["has_more"] != b"true" or whole["object"] != b'"list"' or record[begin : begin + 1] != b"[":
        return None
    url = spans.scalar(whole["url"])
    entries = spans.elements(record, (begin, end))
    last = outline(record[slice(*entries[-1])]).id if entries else ""
    if not isinstance(url, str) or not isinstance(last, str):
        return None
    return _Open(url, last, not entries, end - 1, parts["has_more"])
