"""The embedded Postgres inside `syncline up`: started, watched, started again, stopped."""

import asyncio
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from deployments import postgres
from deployments.errors import ProblemError
from deployments.telling import tell

LOOK_SECONDS = 0.5
PAUSE_SECONDS = 2.0
T = TypeVar("T")


class Embedded:
    """One cluster. One thread does it all and lives as long: Linux stops Postgres when its thread ends."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._thread = ThreadPoolExecutor(1, "postgres")
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        await self._in_thread(self._start)

    async def stop(self) -> None:
        await self._in_thread(self._stop)
        self._thread.shutdown()

    async def keep(self) -> None:
        """Whenever its postmaster dies, Postgres is started again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if await self._in_thread(self._lives):
                continue
            tell("Postgres stopped; starting it again", "!")
            try:
                await self.start()
            except ProblemError as problem:
                tell(str(problem), "▲")
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                tell("Postgres runs again; nothing was lost", "✓")

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _start(self) -> None:
        self._process = postgres.start(self._home, die_with_parent=True) or self._process

    def _lives(self) -> bool:
        if self._process is not None:
            self._process.poll()  # reaps it, should it be dead
        return postgres.is_running(self._home)

    def _stop(self) -> None:
        postgres.stop(self._home)
        if self._process is not None:
            self._process.wait()
