"""One run of one connection, as the tasks that do its parts see it."""

import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

from connectors.base import Stream
from connectors.errors import ConnectorError
from storage.loader import Loader
from storage.runs import Run
from storage.tables import StreamTable
from tasks.progress import Progress
from tasks.workshop import Source, Workshop

End = Literal["done", "continued", "needs_confirmation"]
"""How the work on a stream ended, unless it failed."""


def worst(ends: Iterable[End]) -> End:
    """How some pieces of work ended, taken together."""
    found = set(ends)
    return "continued" if "continued" in found else "needs_confirmation" if "needs_confirmation" in found else "done"


@dataclass(slots=True)
class Sync:
    """What the tasks of a run share. `notes` are sentences about the run that its log shows."""

    workshop: Workshop
    source: Source
    loader: Loader
    run: Run
    progress: Progress
    notes: list[str] = field(default_factory=list)
    failures: dict[str, ConnectorError] = field(default_factory=dict)
    """What kept a stream, or one record of it, from being read; the others went on."""

    def stream(self, name: str) -> Stream:
        return self.source.connector.stream(name)

    def table(self, name: str) -> StreamTable:
        return self.source.tables[name]


CURRENT: ContextVar[Sync] = ContextVar("sync")
"""The run under way in this context: Prefect records what a task is given, so tasks are given names alone."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the connection's counter was, and when, before a request was sent."""

    note: int
    at: float

    @classmethod
    def now(cls, loader: Loader) -> "Asked":
        return cls(loader.note, time.monotonic())
