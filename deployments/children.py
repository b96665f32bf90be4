"""The processes that the supervisor starts: none outlives it, each has its log and its process group."""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deployments.errors import ProblemError
from deployments.home import open_private, private_folder

LOG_BYTES = 10_000_000
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def open_log(path: Path) -> int:
    """A descriptor to append to; a log that has grown long is put aside first."""
    private_folder(path.parent)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return open_private(path, os.O_WRONLY | os.O_APPEND)


def dying_with_parent(kind: signal.Signals) -> Callable[[], object] | None:
    """To be run in the child before exec: Linux sends it *kind* when the thread that started it is gone."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, kind)


@dataclass
class Child:
    """One process, started as often as it takes; one that talks has a Channel at its end."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    talks: bool = False
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    async def start(self) -> None:
        log = open_log(self.log)
        try:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                env=self.environment,
                cwd=self.log.parent,
                stdin=asyncio.subprocess.PIPE if self.talks else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if self.talks else log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the supervisor to pass on, in order
                preexec_fn=dying_with_parent(signal.SIGTERM),
            )
        finally:
            os.close(log)

    async def tell(self, message: dict[str, Any]) -> None:
        stdin = self._running().stdin
        if stdin is not None:
            with contextlib.suppress(ConnectionError):
                stdin.write(json.dumps(message, default=str).encode() + b"\n")
                await stdin.drain()

    async def answer(self) -> dict[str, Any]:
        """What the process says next; ProblemError if it says that it failed, or ends without a word."""
        stdout = self._running().stdout
        line = await stdout.readline() if stdout else b""
        if not line:
            raise ProblemError("part_failed", f"{self.name} stopped before it was done.", f"Read {self.log}.")
        message: dict[str, Any] = json.loads(line)
        if "error" in message:
            raise ProblemError(**message["error"])
        return message

    async def ended(self) -> int:
        return await self._running().wait()

    async def unless_it_ends(self, work: Coroutine[Any, Any, None]) -> None:
        """*work* is done; ProblemError as soon as the process ends instead."""
        working, ended = asyncio.ensure_future(work), asyncio.ensure_future(self.ended())
        try:
            await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ProblemError("part_failed", f"{self.name} did not start.", f"Read {self.log}.")
            await working
        finally:
            working.cancel()
            ended.cancel()

    async def stop(self, seconds: float) -> None:
        """The process and all of its group are gone: asked first, killed after *seconds*."""
        if self.process is None:
            return
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                await self.process.wait()
        except TimeoutError:
            pass
        finally:
            self.signal(signal.SIGKILL)
        await self.process.wait()

    def signal(self, kind: signal.Signals) -> None:
        """The whole group gets the signal: the flow runs of a worker too."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, kind)

    def _running(self) -> asyncio.subprocess.Process:
        if self.process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self.process
