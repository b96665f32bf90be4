"""How far a run has come: for whoever watches at once, for `sync_run` and Prefect at most every two seconds."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from storage.loads import Counts
from storage.times import iso

EVERY_SECONDS = 2.0

Watch = Callable[[Mapping[str, Mapping[str, Any]]], None]
"""Is given {stream: {records, parts_done, parts_total, waiting_until, done}} whenever something moved."""

Publish = Callable[["Progress"], Awaitable[None]]


@dataclass(slots=True)
class StreamProgress:
    """One stream's. `parts_total` is None where the number of parts is not known."""

    records: int = 0
    parts_done: int = 0
    parts_total: int | None = None
    waiting_until: str | None = None
    done: bool = False


class Progress:
    """Of one run of one connection."""

    def __init__(self, watch: Watch | None = None, waiting: Callable[[], datetime | None] | None = None) -> None:
        self.streams: dict[str, StreamProgress] = {}
        self.counts: dict[str, Counts] = {}
        self._watch = watch
        self._waiting = waiting or (lambda: None)
        self._published = time.monotonic()

    def of(self, stream: str) -> StreamProgress:
        """The stream's, made when it is first asked for."""
        self.counts.setdefault(stream, Counts())
        return self.streams.setdefault(stream, StreamProgress())

    def committed(self, stream: str, counts: Counts) -> None:
        """So much more is in Postgres."""
        self.of(stream).records += counts.read
        self.counts[stream] += counts
        self.moved()

    def moved(self) -> None:
        """Tell whoever watches."""
        if self._watch:
            self._watch(self.as_json())

    async def publish(self, publish: Publish) -> None:
        """Hand this on, unless that was done less than two seconds ago."""
        now = time.monotonic()
        if now - self._published >= EVERY_SECONDS:
            self._published = now
            await publish(self)

    def as_json(self) -> dict[str, dict[str, Any]]:
        until = iso(self._waiting())
        return {
            name: asdict(each) | ({} if each.done else {"waiting_until": until}) for name, each in self.streams.items()
        }

    def counts_as_json(self) -> dict[str, dict[str, int]]:
        return {name: counts.as_json() for name, counts in self.counts.items()}
