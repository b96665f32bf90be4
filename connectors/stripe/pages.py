"""A list of Stripe, newest first, in pages that are stored one by one.

The cursor of a read: `gte` and `lt` bound the window of `created`; `after` is the id that the next page starts after,
`before` the `created` of that record, `span` the seconds that its page covered; `list` counts the lists of a stream
that takes more than one. https://docs.stripe.com/api/pagination
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.answers import Answer
from connectors.base import Cursor, Page
from connectors.client import Client
from connectors.errors import Broken, Missing
from connectors.listing import Listing, listing
from connectors.stripe import nested
from connectors.stripe.records import moment, outline
from connectors.stripe.settings import TITLE

Params = Mapping[str, str | int]

PAGE_SIZE = 100
_MOST_REPEATS = 2
"""A page that leads nowhere is asked for again so often, then the read stops."""

_LOOP = (
    "{provider} keeps sending the same page, so its list has no end. What was read is kept; sync again later, "
    "it goes on from there."
)
_NO_IDS = (
    "{provider} sent a page of records without a single id, so there is no way to ask for the next one. "
    "What was read is kept: check the address that is configured for {provider}."
)


@dataclass(frozen=True, slots=True)
class Got:
    """One page as it came, how often it speaks of has_more, and the provider's clock."""

    listing: Listing
    marks: int
    answer: Answer


def _parse(answer: Answer) -> Got:
    return Got(listing(answer.content), nested.count_marks(answer.content), answer)


async def fetch(client: Client, route: str, params: Params, cursor: Cursor) -> Got:
    """The page that *cursor* stands before."""
    return await client.get(route, _parse, {**params, "limit": PAGE_SIZE, **_window(cursor)})


def _window(cursor: Cursor) -> dict[str, str | int]:
    window = {f"created[{side}]": cursor[side] for side in ("gte", "lt") if side in cursor}
    if "after" in cursor:
        window["starting_after"] = cursor["after"]
    elif "before" in cursor:  # what we stood at is gone: its whole second is read again
        window.pop("created[lt]", None)
        window["created[lte]"] = cursor["before"]
    return window


async def pages(
    client: Client, route: str, lists: Sequence[Params], cursor: Cursor, *, complete: bool = True
) -> AsyncIterator[Page]:
    """Everything from *cursor* on, one list after the other. Broken when a list leads in a circle."""
    here: Cursor | None = cursor
    path = _Path()
    while here is not None:
        try:
            got = await fetch(client, route, lists[here.get("list", 0)], here)
        except Missing as missing:
            if missing.param not in {None, "starting_after"} or "after" not in here:
                raise
            here = path.restart(here)
            continue
        following = step(here, got.listing)
        if following is None:
            following, path = _next_list(here, lists), _Path()
        elif path.leads_nowhere(here, following):
            continue
        records = got.listing.records
        if complete:
            records = await nested.complete_all(client, records, got.marks)
        yield Page(records, following)
        here = following


def step(here: Cursor, page: Listing) -> Cursor | None:
    """The cursor after *page*; None at the end of the list, *here* itself when the page has no way on."""
    if not page.has_more:
        return None
    if not page.records:
        return here
    for record in reversed(page.records):
        last = outline(record)
        if isinstance(last.id, str) and last.id:
            break
    else:
        raise Broken(TITLE, _NO_IDS, code="no_ids")
    following = _bounds(here) | {"after": last.id}
    oldest, newest = moment(last.created), moment(outline(page.records[0]).created)
    if oldest is not None:
        following["before"] = oldest
        following["span"] = max(newest - oldest, 0) if newest is not None else 0
    return following


def _next_list(here: Cursor, lists: Sequence[Params]) -> Cursor | None:
    """The beginning of the same window in the stream's next list, if it has one."""
    number = here.get("list", 0) + 1
    return _bounds(here) | {"list": number} if number < len(lists) else None


def _bounds(here: Cursor) -> Cursor:
    return {name: here[name] for name in ("gte", "lt", "list") if name in here}


class _Path:
    """Where a read has been, so that it notices when it walks in a circle."""

    def __init__(self) -> None:
        self._seen: set[Any] = set()
        self._repeats = 0
        self._restarts = 0
        self._restarted_at: int | None = None

    def leads_nowhere(self, here: Cursor, following: Cursor) -> bool:
        """Whether the page must be asked for again; Broken when that was done often enough."""
        if following is not here and following["after"] != here.get("after") and following["after"] not in self._seen:
            self._seen.add(following["after"])
            self._repeats = 0
            return False
        self._repeats += 1
        if self._repeats > _MOST_REPEATS:
            raise Broken(TITLE, _LOOP, code="endless_list")
        return True

    def restart(self, here: Cursor) -> Cursor:
        """The cursor for a read whose place is gone: from the second on at which that record was created."""
        before = here.get("before")
        self._restarts = self._restarts + 1 if before == self._restarted_at else 0
        if self._restarts > _MOST_REPEATS:
            raise Broken(TITLE, _LOOP, code="endless_list")
        self._restarted_at = before
        self._seen.clear()
        return {name: value for name, value in here.items() if name != "after"}
