"""A sync's progress on stderr: live on a terminal, else one line every ten seconds."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cli import output
from deployments.words import duration, number

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

StreamProgress = Mapping[str, Any]
Watch = Callable[[Mapping[str, StreamProgress]], None]

LINE_EVERY_SECONDS = 10.0


@contextmanager
def shown() -> Iterator[Watch]:
    """What is called with the progress, as often as the sync likes."""
    if not output.screen().is_terminal:
        yield Lines()
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TextColumn("{task.fields[records]}", justify="right"),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=output.screen()) as bars:
        yield Bars(bars)


@dataclass
class Bars:
    """One bar a stream: parts done of parts known, else a moving one."""

    progress: "Progress"
    tasks: "dict[str, TaskID]" = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def __call__(self, progress: Mapping[str, StreamProgress]) -> None:
        for name, state in progress.items():
            if name not in self.tasks:
                self.tasks[name] = self.progress.add_task(name, total=None, records="", note="")
            self.progress.update(
                self.tasks[name],
                total=1 if state.get("done") else state.get("parts_total"),
                completed=1 if state.get("done") else state.get("parts_done", 0),
                records=number(state.get("records", 0)),
                note=note(state, time.monotonic() - self.started),
            )


@dataclass
class Lines:
    """At most one line every ten seconds, saying where every unfinished stream stands."""

    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.started = self.last = self.clock()

    def __call__(self, progress: Mapping[str, StreamProgress]) -> None:
        now = self.clock()
        if now - self.last < LINE_EVERY_SECONDS:
            return
        self.last = now
        done = sum(1 for state in progress.values() if state.get("done"))
        under_way = [
            f"{name} {number(state.get('records', 0))} {note(state, now - self.started)}".rstrip()
            for name, state in progress.items()
            if not state.get("done")
        ]
        output.say("; ".join([f"{duration(now - self.started)}: {done} of {len(progress)} streams done", *under_way]))


def note(state: StreamProgress, seconds: float) -> str:
    """What else is known of a stream: its part, its own rate, what it waits for."""
    if state.get("done"):
        return "done"
    said = []
    if total := state.get("parts_total"):
        said.append(f"part {min(state.get('parts_done', 0) + 1, total)} of {total}")
    if seconds > 1 and state.get("records"):
        said.append(f"{number(round(state['records'] / seconds))}/s")
    if waiting := state.get("waiting_until"):
        said.append(f"waiting, the provider asked for a pause ({_until(waiting)})")
    return " · ".join(said)


def _until(moment: str) -> str:
    from datetime import UTC, datetime

    return duration(max(0.0, (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()))
