"""The story of the demo: start, connect, read everything, change something, read the change, look."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from cli import output
from cli.demo_acts import act_twice, connect, push
from cli.demo_parts import PRODUCT, Parts, free_port, own_home
from deployments.errors import ProblemError
from deployments.home import write_private
from deployments.words import duration, number
from sandbox.stories import stories

USER = "demo-user"
STEPS = 8
FULL_SYNC_SECONDS = 150.0


@dataclass
class Steps:
    """Says each step once it is done, with the time it took."""

    began: float = field(default_factory=time.monotonic)
    count: int = 0

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        self.count += 1
        started, said = time.monotonic(), list[str]()
        head = f"{self.count}/{STEPS} {name:<12}"
        with output.screen().status(f"{head} …") if output.screen().is_terminal else contextlib.nullcontext():
            yield said
        took = duration(time.monotonic() - started)
        output.data(f"{head} {said[0] if said else '':<60} {took:>7}  ✓")
        for line in said[1:]:
            output.data(f"      {line}".rstrip())


def show(*, keep: bool) -> int:
    """The demo has been shown and everything has stopped; with *keep* that waits for Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with own_home() as home, contextlib.closing(Parts(home)) as parts:
        _tell(parts, keep=keep)
        if keep:
            _stay(parts)
    return 0


def _tell(parts: Parts, *, keep: bool) -> None:
    steps = Steps()
    told = stories()
    with steps.step("Start") as said:
        provider = _start(parts)
        for story in told:
            story.fill(provider)
            if story.courier:
                story.courier(provider, "hold")  # so that the incremental sync has something to find
        said.append("Postgres, Prefect, a worker, the web application and the sandbox")
    with steps.step("Connect") as said:
        with ThreadPoolExecutor(max_workers=2) as pool:
            ids = pool.map(lambda story: connect(parts, story, USER), told)
            found = dict(zip((story.connector for story in told), ids, strict=True))
        said.append(", ".join(f"{story.connector} ({'key' if story.key else 'OAuth'})" for story in told))
    with steps.step("Full sync") as said:
        records, tables = _wait_for_full_sync(parts)
        said.append(f"{number(records)} records in {tables} tables (deployment full-sync/weekly)")
    with steps.step("Change") as said:
        said[:] = ["at the providers", *(line for story in told for line in story.change(provider))]
    with steps.step("Incremental") as said:
        with ThreadPoolExecutor(max_workers=2) as pool:
            results = pool.map(lambda connection: json.loads(parts.ask("sync", connection, "--json")), found.values())
            done = dict(zip(found, results, strict=True))
        said.append("syncline sync ID, for each connection")
        said.extend(f"{name}: {_counted(result)}" for name, result in done.items())
    with steps.step("Action") as said:
        for story in told:
            if story.action:
                name, body = story.action
                said.extend(act_twice(parts, found[story.connector], name, body(provider)))
    with steps.step("Webhook") as said:
        said.append("signed deliveries, applied by the deployment webhook-sync/on-event")
        for story in told:
            if story.courier:
                story.courier(provider, "forget")
        said.extend(push(parts, story, provider) for story in told if story.push)
    with steps.step("Look") as said:
        said.append("what is in Postgres now")
        for story in told:
            said.extend([story.query, *parts.ask("psql", "-c", story.query).splitlines()])
    output.data(f"Done in {duration(time.monotonic() - steps.began)}.")
    if not keep:
        output.data(
            f"The web application was at {parts.web} and Prefect's UI at {parts.prefect}; "
            "`make demo KEEP=1` keeps them up, and `syncline status` with them."
        )


def _start(parts: Parts) -> str:
    """Where the sandbox answers; the product is pointed at it and ready."""
    web, prefect = str(free_port()), str(free_port())
    parts.web, parts.prefect = f"http://127.0.0.1:{web}", f"http://127.0.0.1:{prefect}"
    providers = [*PRODUCT, "sandbox", "--port", "0", "--webhooks-to", parts.web, "--json"]
    settings: dict[str, str] = json.loads(parts.start("sandbox", providers, until="{"))
    sandbox = next(value for name, value in settings.items() if name.endswith("_API_URL"))
    parts.environment |= settings | {"SYNCLINE_SANDBOX_URL": sandbox}
    parts.start("up", [*PRODUCT, "up", "--port", web, "--prefect-port", prefect], until="ready")
    return sandbox


def _wait_for_full_sync(parts: Parts) -> tuple[int, int]:
    """How many records in how many tables the first full syncs brought."""
    deadline = time.monotonic() + FULL_SYNC_SECONDS
    while time.monotonic() < deadline and not parts.died():
        connections = json.loads(parts.ask("status", "--json"))["connections"]
        for connection in connections:
            if connection["error"]:
                raise ProblemError("demo_failed", connection["error"], "Try again.")
        streams = [stream for connection in connections for stream in connection["streams"]]
        under_way = any(connection["sync_in_progress"] for connection in connections)
        if streams and all(stream["last_full_sync"] for stream in streams) and not under_way:
            return sum(connection["records"] for connection in connections), len(streams)
        time.sleep(1)
    raise ProblemError("demo_failed", "The first full syncs did not end.", f"Look into {parts.home / 'up.log'}.")


def _counted(result: dict[str, Any]) -> str:
    counts = {
        name: sum(stream[name] for stream in result["streams"].values()) for name in ("read", "written", "deleted")
    }
    return f"read {counts['read']}, changed {counts['written']}, deleted {counts['deleted']}"


def _stay(parts: Parts) -> None:
    """Until Ctrl-C everything is up, and the person knows where."""
    home = os.path.relpath(parts.home)
    settings = {name: value for name, value in parts.environment.items() if name.startswith("SYNCLINE_")}
    write_private(parts.home / "settings", "".join(f"export {name}='{value}'\n" for name, value in settings.items()))
    output.data(f"The status page: {parts.ask('login')}   (works once, 10 minutes)")
    output.data(f"The sandbox, to change and to break things: {parts.environment['SYNCLINE_SANDBOX_URL']}")
    output.data(f"Prefect's UI is at {parts.prefect}; log in with what `cat {home}/prefect.auth` prints.")
    output.data(f"In another terminal: source {home}/settings && .venv/bin/syncline status")
    output.say("Stop with Ctrl-C.")
    with contextlib.suppress(KeyboardInterrupt):
        while not parts.died():
            time.sleep(0.5)
    output.say("Stopping …")
