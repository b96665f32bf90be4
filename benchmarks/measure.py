"""Processes, and what they cost."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[1]


@dataclass
class Cost:
    """What one process took from its start to its end."""

    seconds: float
    cpu: float
    peak_mb: float
    started: float
    output: str = ""
    said: dict = field(default_factory=dict)
    """The JSON object that it printed, if it did."""


def run(command, env=None, *, may_fail=False):
    """Run *command* to its end; the cost is that process's own and of children that it waited for."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.time()
        process = subprocess.Popen(command, stdout=out, stderr=err, env=os.environ | (env or {}), cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.time() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        output = out.read()
        if process.returncode and not may_fail:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{output}{err.read()}")
    # ru_maxrss: kilobytes on Linux, bytes on macOS
    peak = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    cost = Cost(seconds, usage.ru_utime + usage.ru_stime, peak, started, output)
    with contextlib.suppress(ValueError):
        cost.said = json.loads(output)
    return cost


def module(name, *arguments, env=None):
    """Run a module of these benchmarks in a process of its own."""
    return run([sys.executable, "-m", name, *map(str, arguments)], env)


@contextlib.contextmanager
def server(name, *arguments):
    """A process that prints one line when it listens, for as long as the block lasts; gives that line."""
    command = [sys.executable, "-m", name, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def seen(api_url):
    """When the page server had its first request since this was last asked, and how many there were."""
    with urlopen(f"{api_url}/_seen") as answer:
        return json.load(answer)


def seen_of(api_url, account):
    """Three calls about what the sandbox saw of an account: forget it, its requests, its busiest seconds."""
    with_account = f"?account={quote(account)}"

    def told(path):
        with urlopen(f"{api_url}/_sandbox/{path}{with_account}") as answer:
            return json.load(answer)

    def forget():
        urlopen(Request(f"{api_url}/_sandbox/ledger{with_account}", method="DELETE")).close()

    return forget, lambda: told("ledger")["requests"], lambda: told("rates")
