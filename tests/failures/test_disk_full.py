"""The disk on which Postgres keeps the rows is full, and then is not."""

import json
import os
import secrets
import shutil
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from tests.fixtures.deliveries import SECRET, signed


@pytest.fixture
def small_disk(tmp_path_factory):
    """A disk of 4 MB; `grow()` makes it one of 64."""
    folder = Path("/tmp") / f"syncline-small-{os.getpid()}"
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False).returncode
    ):
        folder.rmdir()
        pytest.skip("only root may mount a small disk")
    folder.chmod(0o777)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    shutil.rmtree(folder, ignore_errors=True)


def grow(disk):
    """There is room on the disk."""
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)


async def test_full_and_then_freed(sync, stripe, invariants, rows, database_url, small_disk):
    """The sync ends with a sentence and nothing half written; once there is room the next is done within a minute."""
    (small_disk / "rows").mkdir()
    shutil.chown(small_disk / "rows", "postgres", "postgres")
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(f"CREATE TABLESPACE small LOCATION '{small_disk}/rows'")
        conn.execute("ALTER TABLE stripe.customers SET TABLESPACE small")
    stripe.load("products", 20)
    stripe.load("customers", 5000, size=1800)

    failed = await sync("failed", streams=["customers", "products"])

    assert failed["error_code"] == "disk_full"
    assert failed["error"].startswith("The database's disk is full.")
    invariants.no_checkpoint_ahead(stripe, sync.connection_id, ["customers"])
    kept = len(invariants.stored(sync.connection_id, "customers"))
    assert 0 < kept < 5000
    grow(small_disk)
    freed = time.monotonic()
    await sync(streams=["customers", "products"])
    print(f"\nhealthy {time.monotonic() - freed:.1f} s after there was room")
    assert time.monotonic() - freed < 60
    invariants.hold(stripe, sync.connection_id, streams=["customers", "products"])
    rows("ALTER TABLE stripe.customers SET TABLESPACE pg_default")
    rows("DROP TABLESPACE small")


async def test_a_delivery_that_cannot_be_stored(site, stripe, sync, connect_to, rows, database_url, small_disk):
    """503 with Retry-After, and nothing of it is stored; once there is room the same delivery is taken at once."""
    await connect_to(stripe, webhook_secret=SECRET)
    (small_disk / "inbox").mkdir()
    shutil.chown(small_disk / "inbox", "postgres", "postgres")
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(f"CREATE TABLESPACE small_inbox LOCATION '{small_disk}/inbox'")
        conn.execute("ALTER TABLE syncline.webhook_event SET TABLESPACE small_inbox")

    async def deliver(number):
        made = {"id": f"evt_{number}", "object": "event", "type": "customer.updated", "created": 5, "livemode": False}
        body = json.dumps(made | {"data": {"object": {"id": "cus_1"}}, "more": secrets.token_hex(400_000)}).encode()
        return await site.stranger.post(f"/webhooks/stripe/{sync.connection_id}", content=body, headers=signed(body))

    stored = 0
    while (answer := await deliver(stored)).status_code == 200:
        stored += 1
        assert stored < 30, "the disk does not fill"

    assert (answer.status_code, answer.json()["code"]) == (503, "disk_full")
    assert int(answer.headers["retry-after"]) > 0
    assert len(rows("SELECT id FROM syncline.webhook_event")) == stored
    grow(small_disk)
    assert (await deliver(stored)).status_code == 200
    assert len(rows("SELECT id FROM syncline.webhook_event")) == stored + 1
    print(f"\n{stored} deliveries before the disk was full, one 503, and the next was stored")
    rows("ALTER TABLE syncline.webhook_event SET TABLESPACE pg_default")
    rows("DROP TABLESPACE small_inbox")
