"""The processes of one Postgres data folder, alive, dead and in between.

A postmaster killed with -9 leaves postmaster.pid behind, sometimes a zombie that nobody has reaped, and sometimes
backends that still hold its shared memory. Postgres then refuses to start; clear_wreck makes it start again.
"""

import signal
import time
from pathlib import Path

import psutil

STATUS_LINE = 7  # of postmaster.pid, counted from 0: src/include/utils/pidfile.h
ORPHANS_LEAVE_SECONDS = 3  # backends notice a dead postmaster by themselves, unless they are busy


def running(data: Path) -> psutil.Process | None:
    """The postmaster of this folder, if it is alive."""
    pid = _noted_pid(data)
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
        return process if _belongs(process, data) else None
    except psutil.NoSuchProcess:
        return None


def is_ready(data: Path) -> bool:
    """Does the postmaster say that it takes connections?"""
    lines = _lines(data)
    return len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready"


def clear_wreck(data: Path) -> None:
    """No process of a dead postmaster is left in this folder, nor its pid file and socket."""
    if running(data):
        return
    _, alive = psutil.wait_procs(_processes(data), timeout=ORPHANS_LEAVE_SECONDS)
    for process in alive:
        process.kill()  # without a postmaster a backend can do no harm to the log that recovery reads
    psutil.wait_procs(alive, timeout=ORPHANS_LEAVE_SECONDS)
    for left in (data / "postmaster.pid", *data.glob(".s.PGSQL.*")):
        left.unlink(missing_ok=True)


def stop(data: Path, seconds: float) -> None:
    """Postgres has stopped: cleanly if that takes no longer than *seconds*, else by force (recovery mends it)."""
    process = running(data)
    if process is None:
        return
    deadline = time.monotonic() + seconds
    for kind in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, dead
        _send(process, kind)
        if _gone(process, max(deadline - time.monotonic(), 1)):
            break
    clear_wreck(data)


def _send(process: psutil.Process, kind: signal.Signals) -> None:
    try:
        process.send_signal(kind)
    except psutil.NoSuchProcess:
        return


def _gone(process: psutil.Process, seconds: float) -> bool:
    """True once the process is dead, be it a zombie."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not _is_alive(process):
            return True
        time.sleep(0.02)
    return False


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _processes(data: Path) -> list[psutil.Process]:
    """Every living Postgres process that works in this folder."""
    return [process for process in psutil.process_iter() if _belongs(process, data)]


def _belongs(process: psutil.Process, data: Path) -> bool:
    """A process number is soon used again by something else; the folder it works in tells."""
    try:
        alive = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
        return alive and Path(process.cwd()).samefile(data)
    except (psutil.Error, OSError):
        return False


def _noted_pid(data: Path) -> int | None:
    lines = _lines(data)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
