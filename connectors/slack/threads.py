"""Threads: which of them have replies that we do not have, and reading one whole.

What is remembered of a thread is `[replies, latest reply, when it was read]`, so that a channel's page tells whether
anything was added or taken away. https://docs.slack.dev/reference/methods/conversations.replies
"""

from dataclasses import dataclass, field
from typing import Any, Self

from connectors.base import Window
from connectors.client import Client
from connectors.errors import Missing
from connectors.records import with_members
from connectors.slack.answers import listed
from connectors.slack.lists import Path
from connectors.slack.outlines import MessageOutline, message_outline

Known = list[Any]

MOST_KEPT = 2000
"""So many keys are kept in a cursor; of a longer read that is interrupted only the rest is judged."""

_parse = listed("messages")


def told(parent: MessageOutline) -> Known:
    """What a channel's page says of a thread."""
    return [parent.replies, parent.latest]


def differs(known: Known | None, parent: MessageOutline) -> bool:
    """Whether a thread is not as it was when it was read."""
    return known[:2] != told(parent) if known else parent.replies > 0


@dataclass(slots=True)
class Thread:
    """One thread, read from its beginning on. A cursor of it is `{"ts", "told", "after", "seen", "met"}`."""

    channel: str
    ts: str
    told: Known
    after: str = ""
    """Slack's cursor of the page that follows."""
    seen: str = ""
    """The newest reply that was read; what follows it is not known yet."""
    done: bool = False
    read_between: tuple[float, float] | None = None
    """When Slack made the last page, by its own clock."""
    _low: str = ""
    _met: set[str] = field(default_factory=set)
    _path: Path = field(default_factory=Path)

    def __post_init__(self) -> None:
        self._low = "" if self._met else self.seen
        self._met |= {self.ts, self.seen}

    @classmethod
    def of(cls, channel: str, cursor: dict[str, Any]) -> Self:
        """The thread that is read on from *cursor*."""
        return cls(
            channel, cursor["ts"], cursor["told"], cursor["after"], cursor["seen"], _met=set(cursor.get("met") or ())
        )

    @property
    def cursor(self) -> dict[str, Any]:
        """Where it goes on, with the keys of what was met, unless they are many."""
        found = {"ts": self.ts, "told": self.told, "after": self.after, "seen": self.seen}
        known = not self._low and len(self._met) <= MOST_KEPT
        return found | ({"met": sorted(self._met - {""})} if known else {})

    async def page(self, client: Client, size: int) -> list[bytes]:
        """The next page's replies, without those that the channel's own list brings too."""
        while True:
            asked: dict[str, str | int] = {"channel": self.channel, "ts": self.ts, "limit": size}
            asked |= {"cursor": self.after} if self.after else {}
            try:
                got = await client.get("/api/conversations.replies", _parse, asked)
            except Missing as missing:
                if missing.param == "cursor" and self.after:
                    self._restart()
                    continue
                if missing.param != "ts":
                    raise
                self._met.discard(self.ts)
                self.done = True
                return []
            if got.following and self._path.leads_nowhere(got.following, empty=not got.records):
                continue
            self.after, self.done = got.following, not got.following
            self.read_between = got.made_between
            return self._stored(got.records)

    def window(self) -> Window:
        """What was read of the thread in one go, once it is done: up to its end."""
        keys = frozenset((self.channel, ts) for ts in self._met if ts)
        return Window(keys, self.channel, low=self._low or None, belonging=("thread_ts", self.ts))

    def _restart(self) -> None:
        self._path.restart()
        self.after = self.seen = self._low = ""
        self._met = {self.ts}

    def _stored(self, records: list[bytes]) -> list[bytes]:
        stored = []
        for record in records:
            outline = message_outline(record)
            if outline.at:
                self._met.add(outline.at)
                self.seen = max(self.seen, outline.at)
            if outline.ts != self.ts and outline.subtype != "thread_broadcast":
                stored.append(with_members(record, {"channel_id": self.channel}))
        return stored
