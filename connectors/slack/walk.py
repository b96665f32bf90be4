"""One channel, read from its newest message down, with the threads that are met on the way.

https://docs.slack.dev/reference/methods/conversations.history
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

from connectors.base import Cursor, Window
from connectors.client import Client
from connectors.errors import Missing, Refused
from connectors.records import with_members
from connectors.slack.answers import Listed, listed
from connectors.slack.lists import Path
from connectors.slack.outlines import BEFORE_ALL, MessageOutline, message_outline
from connectors.slack.threads import MOST_KEPT, Known, Thread, differs, told

_NO_REPLIES = "Slack does not let the app read the replies in this channel; its other messages are read."
_UNREACHABLE = frozenset({"channel_not_found", "not_in_channel"})

_parse = listed("messages")


@dataclass(frozen=True, slots=True)
class Step:
    """What one request brought; the window ends what was read completely."""

    records: list[bytes]
    window: Window | None = None
    read_between: tuple[float, float] | None = None
    """When Slack made them, by its own clock."""


@dataclass(slots=True)
class Walk:
    """See the module. `oldest` is the message or the time where it ends; None: at the channel's first message.

    With `enough` the page that reaches it is the last one, though older ones would be within `oldest`.
    `threads` is what is known of the channel's threads, and is brought up to date.
    """

    channel: str
    size: int
    """Messages a request."""
    threads: dict[str, Known]
    oldest: str | None = None
    enough: str | None = None
    top: str | None = None
    """The newest message on the first page."""
    reached: str | None = None
    """The oldest message that was read: what is newer, up to `top`, has been read too."""
    ended: bool = False
    todo: dict[str, Known] = field(default_factory=dict)
    """Threads that were met and are still to be read, with what the page said of them."""
    thread: Thread | None = None
    no_replies: str | None = None
    """Why replies cannot be read here, where they cannot."""
    now: float | None = None
    """Slack's clock with the last answer."""
    newest: str | None = None
    """The newest message that was known when the walk began."""
    stale_before: float = 0.0
    """A thread with replies within `oldest` that was read before then is read again although it looks the same."""
    _from: str | None = None
    _after: str = ""
    _met: set[str] = field(default_factory=set)
    _whole: bool = True
    """All that was met since the top is known, in however many runs."""
    _path: Path = field(default_factory=Path)

    def __post_init__(self) -> None:
        self._from = self.reached
        self._whole = self.reached is None or bool(self._met)

    @classmethod
    def of(cls, channel: str, size: int, threads: dict[str, Known], cursor: Cursor, **bounds: Any) -> Self:
        """The walk that goes on at *cursor*."""
        thread = cursor.get("thread")
        return cls(
            channel,
            size,
            threads,
            top=cursor.get("top"),
            reached=cursor.get("reached"),
            ended=bool(cursor.get("ended")),
            todo=dict(cursor.get("todo") or {}),
            thread=Thread.of(channel, thread) if thread else None,
            _met=set(cursor.get("met") or ()),
            **bounds,
        )

    @property
    def cursor(self) -> Cursor:
        """Where it goes on; Slack's own cursor is no part of it, which may expire."""
        found: Cursor = {"top": self.top, "reached": self.reached, "ended": self.ended}
        found |= {"todo": dict(self.todo)} if self.todo else {}
        if self._met and self._whole and len(self._met) <= MOST_KEPT and not self.ended:
            found["met"] = sorted(self._met)
        return found | ({"thread": self.thread.cursor} if self.thread else {})

    @property
    def done(self) -> bool:
        return self.ended and not self.todo and self.thread is None

    async def steps(self, client: Client) -> AsyncIterator[Step]:
        """Request by request to the end; threads come right after the page that they were met on."""
        while not self.done:
            yield await self._thread_step(client) if self.thread or self.todo else await self._page_step(client)

    async def _page_step(self, client: Client) -> Step:
        page = await self._page(client)
        outlines = [message_outline(record) for record in page.records]
        self.now = page.now.timestamp() if page.now else None
        self._note(outlines)
        reached_enough = self.enough is not None and self.reached is not None and self.reached <= self.enough
        self.ended = reached_enough or not (page.following or page.more)
        records = [with_members(record, {"channel_id": self.channel}) for record in page.records]
        window = self._window(whole=not reached_enough) if self.ended else None
        if self.ended and self._whole and self.oldest is not None:
            self._miss_threads(down_to=self.oldest if not reached_enough else self.reached or self.oldest)
        return Step(records, window, page.made_between)

    async def _page(self, client: Client) -> Listed:
        while True:
            try:
                page = await client.get("/api/conversations.history", _parse, self._asked())
            except Missing as missing:
                if missing.param != "cursor" or not self._after:
                    raise
                self._path.restart()
                self._after = ""  # goes on by time
                continue
            place = page.following or (self._oldest_on(page) if page.more else "")
            if place and self._path.leads_nowhere(place, empty=not page.records):
                continue
            self._after = page.following
            return page

    def _asked(self) -> dict[str, str | int]:
        asked: dict[str, str | int] = {"channel": self.channel, "limit": self.size}
        if self.oldest is not None:
            asked |= {"oldest": self.oldest, "inclusive": "true"}
        latest = self._from if self._after else self.reached
        asked |= {"latest": latest} if latest is not None else {}
        return asked | ({"cursor": self._after} if self._after else {})

    def _oldest_on(self, page: Listed) -> str:
        found = [ts for record in page.records if (ts := message_outline(record).at)]
        return min(found, default="")

    def _note(self, outlines: list[MessageOutline]) -> None:
        met = [outline.at for outline in outlines if outline.at]
        if self.oldest is not None:
            self._met.update(met)
        if met:
            self.top = max(met) if self.top is None else self.top
            self.reached = min(met) if self.reached is None else min(self.reached, *met)
        for outline in outlines:
            if outline.at and not outline.is_reply and self._to_be_read(outline.at, outline):
                self.todo[outline.at] = told(outline)
        if self.no_replies:
            self.todo.clear()

    def _to_be_read(self, ts: str, parent: MessageOutline) -> bool:
        known = self.threads.get(ts)
        if known is None or differs(known, parent):
            return parent.replies > 0 or known is not None
        return parent.latest >= (self.oldest or BEFORE_ALL) and float(known[2]) < self.stale_before

    def _miss_threads(self, down_to: str) -> None:
        """Threads whose first message is gone are read again: what is left of them is not in the channel's list."""
        gone = (ts for ts in self.threads if ts >= down_to and ts not in self._met)
        self.todo |= {ts: [0, ""] for ts in gone}

    def _window(self, *, whole: bool) -> Window | None:
        """All that stands in the channel itself, as far as what was met is known; down to the end of this page.

        What a read of several runs has not met may have come since its first page: above that and what was known before
        it, nothing is judged.
        """
        low = self.oldest if whole else self.reached
        if low is None or self.oldest is None:
            return None
        keys = {*self._met} | ({self._from} if self._from else set())
        met = frozenset((self.channel, ts) for ts in keys)
        high = max(self.top or BEFORE_ALL, self.newest or BEFORE_ALL) if self._whole and self._from else self._from
        return Window(met, self.channel, low=low, high=high, belonging=("thread_ts", None))

    async def _thread_step(self, client: Client) -> Step:
        if self.thread is None:
            ts = next(iter(self.todo))
            self.thread = Thread(self.channel, ts, self.todo.pop(ts))
        thread = self.thread
        try:
            records = await thread.page(client, self.size)
        except Refused as refused:
            if refused.code in _UNREACHABLE:
                raise
            self.no_replies = _NO_REPLIES
            self.thread = None
            self.todo.clear()
            return Step([])
        if not thread.done:
            return Step(records, None, thread.read_between)
        self.thread = None
        self.threads[thread.ts] = [*thread.told, self.now or 0.0]
        if not thread.told[0]:
            del self.threads[thread.ts]
        return Step(records, thread.window(), thread.read_between)
