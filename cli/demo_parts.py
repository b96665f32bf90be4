"""The processes of the demo: the sandbox, `syncline up`, and one command after another, each in its own home.

Nothing of them outlives the demo, and nothing of the person's own settings reaches them.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deployments import postmaster
from deployments.errors import ProblemError
from deployments.home import held, open_private, private_folder

READY_SECONDS = 150.0
STOP_SECONDS = 15.0
PRODUCT = [sys.executable, "-c", "from cli.main import main; main()"]
KEPT = frozenset({"PREFECT_SERVER_ANALYTICS_ENABLED"})


@contextlib.contextmanager
def own_home() -> Iterator[Path]:
    """An empty home that no other demo uses; it is gone afterwards."""
    for number in range(1, 100):
        home = private_folder(Path(".syncline").absolute() / f"demo-{number}")
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(held(home.with_suffix(".lock"), fcntl.LOCK_EX | fcntl.LOCK_NB))
            except BlockingIOError:
                continue
            _wipe(home)
            try:
                yield private_folder(home)
            finally:
                _wipe(home)
            return
    raise ProblemError("demo_crowded", "A hundred demos run here already.", "Stop one with Ctrl-C.")


def _wipe(home: Path) -> None:
    """Nothing is left in the home, be it of a demo that was killed."""
    postmaster.stop(home / "postgres", STOP_SECONDS)
    shutil.rmtree(home, ignore_errors=True)


@dataclass
class Parts:
    """What runs, and the environment that all of it shares."""

    home: Path
    environment: dict[str, str] = field(init=False)
    prefect: str = field(default="", init=False)
    """Where Prefect's UI is, once it is."""
    web: str = field(default="", init=False)
    """The same for the web application."""
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        ours = ("SYNCLINE_", "PREFECT_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environment |= {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment |= {"SYNCLINE_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}

    def start(self, name: str, command: Sequence[str], until: str) -> str:
        """The first line of the started process that begins with *until*; ProblemError when it never comes."""
        log = self.home / f"{name}.log"
        with os.fdopen(open_private(log, os.O_WRONLY | os.O_TRUNC), "wb") as out:
            process = subprocess.Popen(  # noqa: S603 -- our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.home,
                env=self.environment,
                start_new_session=True,
            )
        self.running.append(process)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            for line in log.read_text(errors="replace").splitlines(keepends=True):
                if line.startswith(until) and line.endswith("\n"):
                    return line.strip()
            time.sleep(0.05)
        last = log.read_text(errors="replace").strip().splitlines()[-3:]
        raise ProblemError("demo_failed", f"{name} did not start: {' '.join(last) or 'it said nothing'}", "Try again.")

    def ask(self, *arguments: str, stdin: str = "", show: bool = False) -> str:
        """What `syncline …` wrote to stdout; what it says meanwhile goes to the screen if it is to *show*."""
        done = subprocess.run(  # noqa: S603 -- our own command
            [*PRODUCT, *arguments],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=None if show else subprocess.PIPE,
            text=True,
            cwd=self.home,
            env=self.environment,
            check=False,
        )
        if done.returncode:
            said = (done.stderr or done.stdout or "").strip()
            raise ProblemError("demo_failed", f"syncline {arguments[0]} failed: {said}", "Try again.")
        return done.stdout.rstrip("\n")

    def died(self) -> bool:
        return any(process.poll() is not None for process in self.running)

    def close(self) -> None:
        """Everything that was started has ended, last started first."""
        for process in reversed(self.running):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.running.clear()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
