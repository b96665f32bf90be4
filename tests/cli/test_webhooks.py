"""`syncline webhooks`: the inbox, and what is applied again."""

import json
import subprocess
import sys

import pytest

from storage import connections, inbox
from storage.inbox import Arrival

RUN = "import sys; from cli.main import run; sys.exit(run(sys.argv[1:]))"


def syncline(*arguments):
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
async def events(db):
    """Three events of a connection: one pending, one applied, one failed."""
    connection, _ = await connections.upsert(
        db,
        connector="stripe",
        user_id="42",
        account="acct_1",
        name="Rocket Rides",
        mode="test",
        scopes=[],
        credentials={"api_key": "sk_test_canary"},
    )
    said = [Arrival("stripe", connection.id, key, "customer.updated", b"{}") for key in ("a", "b", "c")]
    said[2] = Arrival("stripe", connection.id, "c", None, b"\x1b[31m", status="failed", error="It makes no sense.")
    await inbox.store(db, said)
    async with db.connection() as conn:
        await conn.execute("UPDATE syncline.webhook_event SET status = 'applied' WHERE provider_event_id = 'b'")
    return connection


def statuses():
    items = json.loads(syncline("webhooks", "--json").stdout)["items"]
    return {one["provider_event_id"]: one["status"] for one in items}


async def test_listed(events):
    """All events, or those that failed with the reason; as a table and as JSON."""
    assert statuses() == {"a": "pending", "b": "applied", "c": "failed"}
    failed = syncline("webhooks", "--failed")
    assert failed.returncode == 0
    assert "It makes no sense." in failed.stdout
    assert failed.stdout.count("stripe") == 1


async def test_replayed(events):
    """One by the beginning of its id, all that failed, and all since a time."""
    items = json.loads(syncline("webhooks", "--json").stdout)["items"]
    applied = next(one for one in items if one["status"] == "applied")

    one = syncline("webhooks", "replay", applied["id"][:13], "--json")
    failed = syncline("webhooks", "replay", "--failed", "--json")

    assert (json.loads(one.stdout), json.loads(failed.stdout)) == ({"replayed": 1}, {"replayed": 1})
    assert statuses() == {"a": "pending", "b": "pending", "c": "pending"}
    assert json.loads(syncline("webhooks", "replay", "--since", "2020-01-01", "--json").stdout) == {"replayed": 3}
    assert json.loads(syncline("webhooks", "replay", "--since", "2100-01-01T00:00Z", "--json").stdout) == {
        "replayed": 0
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("replay",), 2),
        (("replay", "abc", "--failed"), 2),
        (("replay", "--failed", "--since", "2020-01-01"), 2),
        (("replay", "--since", "yesterday"), 2),
        (("replay", "00000000"), 2),
    ],
)
async def test_wrong_use(events, arguments, code):
    """Nothing, too much or something unknown is named: said so, and nothing is applied again."""
    done = syncline("webhooks", *arguments, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    assert json.loads(done.stdout)["error"]["detail"]
    assert statuses()["c"] == "failed"


async def test_an_event_of_no_connection(events, rows):
    """It cannot be replayed, and is told what to do instead."""
    [nobodys] = rows("UPDATE syncline.webhook_event SET connection_id = NULL WHERE status = 'failed' RETURNING id")

    done = syncline("webhooks", "replay", str(nobodys["id"]), "--json")

    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"], bool(error["action"])) == (1, "event_of_no_connection", True)
