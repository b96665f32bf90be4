"""How far the messages of one channel have come in the change feed.

A place is `{"newest", "threads", "visited", "looked", "pass", "fill", "private"}`. Up to `newest` all has been read,
down to where the `fill` stands, if there is one: the rest of a channel that was joined after the last full read.
A `pass` reads from the newest message down; only when it has closed the gap does `newest` move. `visited` and `looked`
are Slack's time when a pass last began, and when one last looked all the way back.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

from connectors.base import Cursor
from connectors.client import Client
from connectors.slack.messages import forget_old_threads
from connectors.slack.outlines import BEFORE_ALL
from connectors.slack.pace import Pace, back_to
from connectors.slack.threads import Known
from connectors.slack.walk import Step, Walk


@dataclass(slots=True)
class Place:
    """See the module."""

    channel: str
    newest: str | None = None
    threads: dict[str, Known] = field(default_factory=dict)
    visited: float = 0.0
    looked: float = 0.0
    under_way: Cursor | None = None
    fill: Cursor | None = None
    private: bool = False
    no_replies: str | None = None

    @classmethod
    def of(cls, channel: str, cursor: Cursor, *, private: bool) -> Self:
        return cls(
            channel,
            cursor.get("newest"),
            dict(cursor.get("threads") or {}),
            float(cursor.get("visited") or 0.0),
            float(cursor.get("looked") or 0.0),
            cursor.get("pass"),
            cursor.get("fill"),
            private,
        )

    @property
    def cursor(self) -> Cursor:
        found: dict[str, Any] = {"newest": self.newest, "visited": self.visited}
        more = {
            "threads": dict(self.threads),
            "looked": self.looked,
            "pass": self.under_way,
            "fill": self.fill,
            "private": self.private,
        }
        return found | {name: value for name, value in more.items() if value}

    @property
    def fills(self) -> bool:
        """Whether older messages are still to be read for the first time."""
        return self.newest is None or self.fill is not None

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be read for now."""
        return self.under_way is None and not self.fills

    @property
    def complete_from(self) -> str | None:
        """The oldest message from which on nothing is missing; None where nothing is missing at all."""
        gap = (self.under_way or {}).get("reached")
        rest = (self.fill or {}).get("reached")
        bounds = [gap] if gap and self.newest and gap > self.newest else []
        return max(bounds + ([rest] if rest else []), default=None)

    async def catch_up(self, client: Client, pace: Pace, now: float) -> AsyncIterator[Step]:
        """From the newest message down to the known ones, and all the way back where that is due."""
        newest = self.newest or BEFORE_ALL
        before = self.under_way or {
            "oldest": min(newest, back_to(now)),
            "enough": None if now - self.looked >= pace.look_again else newest,
        }
        oldest, enough = before["oldest"], before["enough"]
        walk = Walk.of(
            self.channel,
            pace.page,
            self.threads,
            before,
            oldest=oldest,
            enough=enough,
            newest=newest,
            stale_before=now - pace.thread_again if enough is None else 0.0,
            now=now,
        )
        self.visited = now
        async for step in walk.steps(client):
            self.no_replies = walk.no_replies
            self.under_way = None if walk.done else {"oldest": oldest, "enough": enough, **walk.cursor}
            if walk.done:
                self.newest = max(newest, walk.top or BEFORE_ALL)
                self.looked = now if enough is None else self.looked
                forget_old_threads(walk, self.newest)
            yield step

    async def fill_up(self, client: Client, pace: Pace) -> AsyncIterator[Step]:
        """From where the last fill ended, or from the newest message, down to the channel's beginning."""
        walk = Walk.of(self.channel, pace.page, self.threads, self.fill or {})
        async for step in walk.steps(client):
            self.no_replies = walk.no_replies
            self.newest = self.newest or walk.top or BEFORE_ALL
            self.visited = self.visited or walk.now or 0.0
            self.fill = None if walk.done else walk.cursor
            forget_old_threads(walk, self.newest)
            yield step
