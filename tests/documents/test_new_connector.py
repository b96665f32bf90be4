"""The guide for a fifth connector, followed word for word in a folder of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("connectors", "storage", "tasks", "flows", "deployments", "web", "cli")
SCRIPT = """
import asyncio, json, sys
from flows import by_hand
from storage.database import open_database
from tasks.connect import connect_api_key
import connectors, connectors.notes
assert connectors.__file__.startswith(sys.argv[1]), connectors.__file__

async def main():
    async with open_database() as db:
        connection, created = await connect_api_key(db, "notes", "42", {"api_key": "notes-key-1"})
    done = await by_hand.sync(connection.id, full=created, streams=None, confirm_deletes=False)
    print(json.dumps([done.outcome, done.error, done.streams]))

asyncio.run(main())
"""


@pytest.fixture
def copy(tmp_path):
    """The product as a folder beside nothing else, with the guide's connector in it."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    guide = (ROOT / "docs/new-connector.md").read_text()
    for name, code in re.findall(r'^```python title="([^"]+)"\n(.*?)^```$', guide, flags=re.MULTILINE | re.DOTALL):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code)
    return tmp_path


@pytest.fixture
def notes(copy, monkeypatch):
    """The guide's provider, running."""
    process = subprocess.Popen([sys.executable, "notes_server.py"], cwd=copy, stdout=subprocess.PIPE, text=True)
    address = process.stdout.readline().strip()
    monkeypatch.setenv("SYNCLINE_NOTES_API_URL", address)
    yield address
    process.terminate()
    process.wait(10)
    process.stdout.close()


def test_the_guide_makes_a_connector(copy, notes, prefect_api, database_url, rows):
    """Its two files are all it takes: a full and an incremental sync bring notes, changes and deletions."""

    def sync():
        environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", SCRIPT, str(copy)]
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    outcome, error, streams = sync()
    assert (outcome, error) == ("done", None)
    assert streams["notes"]["written"] == 250

    for change in ({"id": "n7", "title": "Changed"}, {"id": "n8", "deleted": True}):
        body = json.dumps(change).encode()
        with urllib.request.urlopen(urllib.request.Request(notes, body, method="POST")):
            pass
    outcome, error, streams = sync()
    assert (outcome, error) == ("done", None)
    assert (streams["notes"]["written"], streams["notes"]["deleted"]) == (1, 1)
    found = rows("SELECT id, title, revision, deleted_at IS NULL AS alive FROM notes.notes WHERE id IN ('n7', 'n8')")
    assert {(row["id"], row["title"], row["alive"]) for row in found} == {
        ("n7", "Changed", True),
        ("n8", "Note 8", False),
    }
