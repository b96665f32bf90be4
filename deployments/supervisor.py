"""`syncline up`: everything that Syncline needs, in the foreground.

Parts start side by side where they can. One that dies is started again. SIGTERM or Ctrl-C ends all of it within ten
seconds; a second one ends it at once.
"""

import asyncio
import contextlib
import fcntl
import os
import resource
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import uuid4

from deployments import postgres, prefect_server, run_file, step
from deployments.activity import Activity
from deployments.check_settings import check_settings
from deployments.children import Child
from deployments.embedded import Embedded
from deployments.errors import ProblemError
from deployments.home import held, private_folder
from deployments.prefect_settings import QUIET, auth_string, client_environment, server_environment
from deployments.prefect_ui import password_place, ui_url
from deployments.telling import tell, tell_part
from deployments.web_settings import PORT
from storage import settings
from storage.database import open_database
from storage.logins import LINK_MINUTES, make_link

LEFTOVER_SECONDS = 3.0
WORKER_SECONDS, WEB_SECONDS, PREFECT_SECONDS = 4.0, 4.0, 2.0  # to stop in; with Postgres' own time less than ten
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- what listens everywhere is here too
STEADY_SECONDS = 60.0  # what ran this long is started again without delay
WORKER = [sys.executable, "-P", "-m", "deployments.worker"]
WEB = [sys.executable, "-P", "-m", "web.server"]


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    host: str = "127.0.0.1"
    port: int = PORT
    prefect_port: int = 4200


def supervise(wanted: Wanted) -> int:
    """Everything runs until SIGTERM or Ctrl-C; then nothing does. The exit code."""
    home = private_folder(settings.home())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # memory holds keys
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    check_settings()
    with _alone(home), held(home / run_file.USERS, fcntl.LOCK_SH):
        return asyncio.run(Supervisor(wanted, home).run())


class Supervisor:
    """The parts of one `syncline up`, from start to stop."""

    def __init__(self, wanted: Wanted, home: Path) -> None:
        self.wanted = wanted
        self.home = home
        origin = prefect_server.origin(wanted.host, wanted.prefect_port)
        given = os.environ.get("PREFECT_API_URL")
        self.running = run_file.Running(
            id=str(uuid4()),
            pid=os.getpid(),
            prefect_api_url=given or f"{origin}/api",
            prefect_is_ours=not given,
            web_url=prefect_server.origin(EVERYWHERE.get(wanted.host, wanted.host), wanted.port),
        )
        self.auth = os.environ.get("PREFECT_API_AUTH_STRING") if given else auth_string(home)
        self.postgres = Embedded(home) if settings.is_embedded() or not given else None
        self.hurry = asyncio.Event()
        # `python` in the work pool's command means ours.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        speaking = client_environment(home, self.running.prefect_api_url, self.auth)
        speaking |= {run_file.MARK: self.running.id, "PATH": path}
        speaking["SYNCLINE_PUBLIC_URL"] = os.environ.get("SYNCLINE_PUBLIC_URL") or self.running.web_url
        self.migration = self._child("migrate", step.command("migrate"), speaking, talks=True)
        self.registration = self._child("register", step.command("register"), speaking, talks=True)
        self.worker = self._child("worker", WORKER, speaking, talks=True)
        where = ["--host", wanted.host, "--port", str(wanted.port)]
        self.web = self._child("web", [*WEB, *where], speaking, talks=True)
        self.prefect = self._child("prefect", prefect_server.command(wanted.host, wanted.prefect_port), {})
        self.dead: list[str] = []

    def _child(self, name: str, command: list[str], environment: dict[str, str], *, talks: bool = False) -> Child:
        return Child(name, command, environment, self.home / "logs" / f"{name}.log", talks)

    async def run(self) -> int:
        work = asyncio.ensure_future(self._work())
        for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(kind, self._told_to_stop, work)
        try:
            await work
        except asyncio.CancelledError:
            ours = {"web": True, "worker": True, "Prefect": self.running.prefect_is_ours, "Postgres": self.postgres}
            tell(f"Stopping: {', '.join(name for name, started in ours.items() if started)}.")
        finally:
            await self._stop()
        tell("Stopped. Nothing was lost.")
        return 0

    def _told_to_stop(self, work: asyncio.Future[None]) -> None:
        if not work.cancel():
            self.hurry.set()

    async def _work(self) -> None:
        since = time.monotonic()
        await self._clear_the_ground()
        if self.postgres:
            await self._start_postgres(self.postgres)
        steps = (self.registration, self.worker, self.web)
        await together(self._start_prefect(), self._migrate(), *(child.start() for child in steps))
        await self._register()
        await together(self._begin_work(), self._begin_answering())
        run_file.write(self.home, replace(self.running, ready=True))
        await self._tell_ready(time.monotonic() - since)
        await self._watch()

    async def _clear_the_ground(self) -> None:
        """Nothing is left of an `up` that was killed, and the port is free."""
        if last := run_file.last(self.home):
            await asyncio.to_thread(run_file.kill_all, last.id, LEFTOVER_SECONDS)
        if self.running.prefect_is_ours:
            prefect_server.refuse_busy_port(self.wanted.host, self.wanted.prefect_port, "--prefect-port")
        prefect_server.refuse_busy_port(self.wanted.host, self.wanted.port, "--port")
        run_file.write(self.home, self.running)

    async def _start_postgres(self, embedded: Embedded) -> None:
        with _timed(f"Postgres {postgres.version()}", f"embedded, {_short(self.home / 'postgres')}"):
            await embedded.start()

    async def _start_prefect(self) -> None:
        url = self.running.prefect_api_url
        if not self.running.prefect_is_ours:
            with _timed("Prefect", url):
                await prefect_server.wait_until_healthy(url, self.auth, ours=False, log=self.prefect.log)
            return
        origin = url.removesuffix("/api")
        database = postgres.Cluster(self.home).url("prefect").replace("postgresql:", "postgresql+asyncpg:", 1)
        mark = {run_file.MARK: self.running.id}
        self.prefect.environment = server_environment(self.home, origin, database, self.auth or "") | mark
        with _timed(f"Prefect {metadata.version('prefect')}", origin):
            await self.prefect.start()
            healthy = prefect_server.wait_until_healthy(url, self.auth, ours=True, log=self.prefect.log)
            await self.prefect.unless_it_ends(healthy)

    async def _migrate(self) -> None:
        since = time.monotonic()
        await self.migration.start()
        answer = await self.migration.answer()
        self.dead = answer["dead"]
        applied = len(answer["applied"])
        tell_part("Migrations", f"{applied} applied" if applied else "up to date", time.monotonic() - since)

    async def _register(self) -> None:
        since = time.monotonic()
        await self.registration.tell({"dead": self.dead, "prefect_is_ours": self.running.prefect_is_ours})
        answer = await self.registration.answer()
        tell_part("Deployments", answer["registered"], time.monotonic() - since)
        if answer["closed"]:
            tell(f"Closed {answer['closed']} flow runs whose processes had died", "!")

    async def _begin_work(self) -> None:
        with _timed("Worker", "1 process worker, polls every second"):
            await self.worker.tell({})
            await self.worker.answer()

    async def _begin_answering(self) -> None:
        with _timed("Web", self.running.web_url):
            await self.web.tell({})
            await self.web.answer()

    async def _tell_ready(self, seconds: float) -> None:
        public = os.environ.get("SYNCLINE_PUBLIC_URL", "").rstrip("/") or self.running.web_url
        async with open_database(max_size=1) as db:
            link = f"{public}/login?once={await make_link(db)}"
        tell(f"ready   in {seconds:.1f} s       Stop with Ctrl-C")
        tell(f"        Open  {link}   (works once, {LINK_MINUTES} minutes; `syncline login` prints another)")
        if self.running.prefect_is_ours:
            secret = _short(Path(password_place(self.home)))
            tell(f"        Open  {ui_url(self.running.prefect_api_url)}   (Prefect; its password is in {secret})")
        tell(f"        Read  {public}/docs   (the API)")
        tell("        Try   syncline connect --help")

    async def _watch(self) -> None:
        """Until it is cancelled: every part that dies is started again, and what goes on is told."""
        kept = [self._keep(child, partial(self._start_again, child)) for child in (self.worker, self.web)]
        if self.running.prefect_is_ours:
            kept.append(self._keep(self.prefect, self.prefect.start))
        if self.postgres:
            kept.append(self.postgres.keep())
        async with Activity():
            await together(*kept)

    async def _keep(self, child: Child, start: Callable[[], Awaitable[None]]) -> None:
        delay = FIRST_DELAY
        while True:
            since = time.monotonic()
            code = await child.ended()
            if time.monotonic() - since > STEADY_SECONDS:
                delay = FIRST_DELAY
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            tell(f"{child.name} stopped ({how}); starting it again in {delay:g} s. See {_short(child.log)}", "!")
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)
            await start()

    async def _start_again(self, child: Child) -> None:
        await child.start()
        await child.tell({})

    async def _stop(self) -> None:
        """No process is left."""
        stopping = asyncio.ensure_future(self._stop_in_order())
        hurry = asyncio.ensure_future(self.hurry.wait())
        await asyncio.wait({stopping, hurry}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            for child in (self.worker, self.web, self.prefect):
                child.signal(signal.SIGKILL)
        hurry.cancel()
        await stopping

    async def _stop_in_order(self) -> None:
        """Runs end first, while they can still say so; then who listens to them; then what holds the data."""
        steps = (self.migration.stop(1), self.registration.stop(1))
        await asyncio.gather(*steps, self.web.stop(WEB_SECONDS), self.worker.stop(WORKER_SECONDS))
        await self.prefect.stop(PREFECT_SECONDS)
        await asyncio.to_thread(run_file.kill_all, self.running.id, 1.0)
        if self.postgres:
            await self.postgres.stop()
        run_file.remove(self.home)


async def together(*work: Awaitable[Any]) -> None:
    """All of it is done, side by side; the first that fails ends the others and is raised."""

    async def one(part: Awaitable[Any]) -> None:
        await part

    try:
        async with asyncio.TaskGroup() as group:
            for part in work:
                group.create_task(one(part))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """No other `up` runs in this home for as long."""
    with contextlib.ExitStack() as stack:
        for patience in (0.1,) * 5 + (0.0,):  # commands hold the lock for a moment when they look
            try:
                stack.enter_context(held(home / run_file.LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB))
                break
            except BlockingIOError:
                time.sleep(patience)
        else:
            action = "Stop that one, or set SYNCLINE_HOME to another folder."
            raise ProblemError("already_running", f"`syncline up` runs in {_short(home)} already.", action)
        yield


@contextlib.contextmanager
def _timed(name: str, what: str) -> Iterator[None]:
    since = time.monotonic()
    yield
    tell_part(name, what, time.monotonic() - since)


def _short(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
