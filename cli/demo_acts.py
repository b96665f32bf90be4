"""What people and programs do in the demo: connect an account in a browser, and run an action through the API."""

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

import psycopg

from cli.demo_browser import Browser
from cli.demo_parts import PRODUCT, Parts
from deployments.errors import ProblemError
from sandbox.stories import Story
from storage.settings import DATABASE_URL_FILE

LINK = re.compile(r"https?://\S+/connect/\S+")
LINK_SECONDS = 30.0
PUSH_SECONDS = 60.0


def connect(parts: Parts, story: Story, user: str) -> str:
    """The id of the new connection: by the key, or by a link that is followed to the provider and back."""
    command = ["connect", story.connector, "--user", user]
    if story.key:
        return parts.ask(*command, "--api-key-stdin", stdin=f"{story.key}\n")
    process = subprocess.Popen(  # noqa: S603 -- our own command
        [*PRODUCT, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=parts.home,
        env=parts.environment,
    )
    with process:
        try:
            browser = Browser()
            consent = browser.press(browser.open(_link(process)), "continue")
            browser.press(consent, "allow")
            said, complaints = process.communicate(timeout=LINK_SECONDS)
        finally:
            process.terminate()
    if process.returncode:
        raise ProblemError("demo_failed", f"syncline connect {story.connector} failed: {complaints}", "Try again.")
    return said.strip()


def _link(process: "subprocess.Popen[str]") -> str:
    """The address that the command prints for its user."""
    seen = []
    for line in process.stderr or ():
        if found := LINK.search(line):
            return found[0]
        seen.append(line.strip())
    raise ProblemError("demo_failed", f"no link was printed: {' '.join(seen)}", "Try again.")


def act_twice(parts: Parts, connection_id: str, name: str, body: Mapping[str, Any]) -> list[str]:
    """The same action with the same key two times over: one write at the provider, the same answer twice."""
    key = f"demo-{time.time_ns()}"
    first, second = (_act(parts, connection_id, name, body, key) for _ in range(2))
    if first != second or first["status"] != "succeeded":
        raise ProblemError("demo_failed", f"{name} ended as {first['status']} and {second['status']}.", "Try again.")
    made = next(iter(first["result"].values()))  # the others may be secrets of the payment
    return [f"{name} twice, one Idempotency-Key", f"both answers: {made}"]


def push(parts: Parts, story: Story, provider: str) -> str:
    """What was pushed, and how long it took from the change at the provider to the row."""
    if story.push is None:
        raise AssertionError  # asked only of those that push
    url = (parts.home / DATABASE_URL_FILE).read_text().strip()
    with psycopg.connect(url, autocommit=True) as conn:
        began = time.monotonic()
        pushed = story.push(provider)
        while conn.execute(pushed.query, pushed.values).fetchone() is None:
            if time.monotonic() - began > PUSH_SECONDS or parts.died():
                raise ProblemError("demo_failed", f"What {story.title} pushed did not arrive.", "Try again.")
            time.sleep(0.01)
        took = time.monotonic() - began
    return f"{story.connector:<16} {pushed.what:<42} in its row after {took * 1000:,.0f} ms"


def _act(parts: Parts, connection_id: str, name: str, body: Mapping[str, Any], key: str) -> dict[str, Any]:
    token = (parts.home / "admin.token").read_text().strip()
    request = urllib.request.Request(  # noqa: S310 -- the demo's own address
        f"{parts.web}/api/v1/connections/{connection_id}/actions/{name}",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key},
        method="POST",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found
