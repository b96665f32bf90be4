"""SYNCLINE_HOME/run.json: what runs, for other commands to find. It holds no secret."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from deployments.home import is_taken, write_private

LOCK = "up.lock"
USERS = "postgres.users"
"""A lock that every user of the embedded Postgres shares; who can have it alone is the last one out."""

MARK = "_SYNCLINE_UP"
"""In the environment of everything that one `up` starts, so that the next can find what is left of it."""


@dataclass(frozen=True)
class Running:
    """One `syncline up`."""

    id: str
    pid: int
    prefect_api_url: str
    prefect_is_ours: bool
    web_url: str = ""
    """Where the web application listens."""
    ready: bool = False


def write(home: Path, running: Running) -> None:
    write_private(home / "run.json", json.dumps(asdict(running), indent=2) + "\n")


def read(home: Path) -> Running | None:
    """What runs now, or None."""
    return last(home) if is_taken(home / LOCK) else None


def last(home: Path) -> Running | None:
    """What ran last, be it dead or alive."""
    try:
        return Running(**json.loads((home / "run.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def remove(home: Path) -> None:
    (home / "run.json").unlink(missing_ok=True)


def processes_of(run_id: str) -> list[psutil.Process]:
    """Everything that the `up` of this id started and that still lives, Postgres excepted."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _mark(process) == run_id]


def _mark(process: psutil.Process) -> str | None:
    try:
        if process.status() == psutil.STATUS_ZOMBIE or process.name() == "postgres":
            return None
        mark: str | None = process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None
    return mark


def kill_all(run_id: str, seconds: float) -> int:
    """None of them is left; how many there were. They are asked first, and killed after *seconds*."""
    found = processes_of(run_id)
    for process in found:
        _quietly(process.terminate)
    _, alive = psutil.wait_procs(found, timeout=seconds)
    while alive:
        for process in alive:
            _quietly(process.kill)
        psutil.wait_procs(alive, timeout=seconds)
        alive = processes_of(run_id)  # what they may have started meanwhile
    return len(found)


def _quietly(act: Callable[[], None]) -> None:
    try:
        act()
    except psutil.Error:
        return
