"""Every command of the README and of the documents, run as it is written."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.demo_parts import PRODUCT, Parts, free_port
from deployments.home import private_folder
from sandbox.stories import stories
from tests.fixtures.sizes import thorough

ROOT = Path(__file__).parents[2]
STORY = next(story for story in stories() if story.key)

pytestmark = pytest.mark.timeout(400)


def _blocks(document, languages=("", "sh", "sql")):
    return re.findall(r"^```(\w*)\n(.*?)^```", (ROOT / document).read_text(), flags=re.MULTILINE | re.DOTALL)


def _commands(document):
    """The document's own `syncline` commands, without those that only start what the fixture has started."""
    lines = [line for language, text in _blocks(document) if language in {"", "sh"} for line in text.splitlines()]
    found = [re.sub(r"\s+#.*|^.*\.venv/bin/", "", line) for line in lines if "syncline" in line]
    return [line for line in found if line.startswith("syncline ") and line != "syncline up"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder where `syncline up` runs and key.txt holds a key: what the documents assume."""
    home = private_folder(tmp_path_factory.mktemp("quickstart") / ".syncline")
    parts = Parts(home)
    try:
        said = json.loads(parts.start("sandbox", [*PRODUCT, "sandbox", "--port", "0", "--json"], until="{"))
        parts.environment |= said
        STORY.fill(said["SYNCLINE_STRIPE_API_URL"])
        parts.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        (home.parent / "key.txt").write_text(STORY.key)
        parts.start(
            "up", [*PRODUCT, "up", "--port", str(free_port()), "--prefect-port", str(free_port())], until="ready"
        )
        yield home.parent, parts
    finally:
        parts.close()


def _run(place, command):
    folder, parts = place
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=parts.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@thorough
def test_the_quickstart_from_top_to_bottom(place):
    """Each command of the quickstart does what it says, in the order in which it stands there."""
    commands = _commands("docs/quickstart.md")
    assert len(commands) >= 6
    known = "ID"
    for command in commands:
        if " --purge" in command:
            known = _connected_again(place)
        if "--webhook-secret-stdin" in command:
            (place[0] / "key.txt").write_text(f"{STORY.key}\nwhsec_of_the_quickstart\n")
        done = _run(place, re.sub(r"\bID\b", known, command))
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        if command.startswith("syncline connect "):
            assert known in {"ID", done.stdout.strip()}
            known = done.stdout.strip()
            _first_sync_is_done(place)


def _first_sync_is_done(place):
    """What the reader of the quickstart sees in `syncline status` before going on."""
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        (connection,) = json.loads(_run(place, "syncline status --json").stdout)["connections"]
        if all(stream["last_full_sync"] for stream in connection["streams"]) and not connection["sync_in_progress"]:
            return
        time.sleep(1)
    raise AssertionError(connection)


def _connected_again(place):
    (place[0] / "key.txt").write_text(STORY.key)
    return _run(place, "syncline connect stripe --user 42 --api-key-stdin < key.txt").stdout.strip()


@thorough
def test_the_sql_of_the_documents(place):
    """Each query that a document shows runs on the tables as they are."""
    assert _connected_again(place)
    _run(place, "syncline sync $(syncline connections --json | grep -oE '[0-9a-f-]{36}' | head -1) --full")
    documents = ("README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")))
    shown = [text for document in documents for language, text in _blocks(document) if language == "sql"]
    queries = [f"syncline psql -c {_quoted(text)}" for text in shown]
    queries += re.findall(r'^[*] `(syncline psql -c "[^"`]+")`', (ROOT / "docs/alerts.md").read_text(), re.MULTILINE)
    assert len(queries) >= 9
    for query in queries:
        done = _run(place, query)
        assert done.returncode == 0, f"{query}\n{done.stderr}"


def _quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"
