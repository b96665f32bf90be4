"""docs/operations.md: a backup, and what becomes of it, by the commands as they are written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg

from deployments import postgres
from tests.fixtures.sizes import thorough

PART = (Path(__file__).parents[2] / "docs/operations.md").read_text().partition("## Backup")[2].partition("\n## ")[0]
DUMP, RESTORE = re.findall(r"^```sh\n(.*?)^```", PART, flags=re.MULTILINE | re.DOTALL)


def _run(script, folder):
    path = f"{postgres._binaries()}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@thorough
async def test_what_was_restored_goes_on(sync, stripe, empty_database_url, monkeypatch, tmp_path):
    """In another database the rows are those of the dump; the next sync reads what has changed since, and no more."""
    stripe.load("customers", 250)
    gone, changed = (stripe.create("customers")["id"] for _ in range(2))
    await sync(full=True, streams=["customers"])
    _run(DUMP, tmp_path)
    stripe.delete("customers", gone)
    stripe.update("customers", changed, name="Ada Lovelace")

    monkeypatch.setenv("SYNCLINE_DATABASE_URL", empty_database_url)
    _run(RESTORE.replace("syncline deploy\n", ""), tmp_path)  # tests/deployments/test_compose_as_processes.py
    result = await sync(streams=["customers"])

    with psycopg.connect(empty_database_url) as conn:
        names = dict(conn.execute("SELECT id, name FROM stripe.customers WHERE deleted_at IS NULL").fetchall())
    assert len(names) == 251
    assert names[changed] == "Ada Lovelace"
    assert result["streams"]["customers"]["read"] == 1
    assert result["streams"]["customers"]["deleted"] == 1
