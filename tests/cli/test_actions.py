"""`syncline actions`: what was asked of providers, and a person's word on what is unknown."""

import hashlib
import json
import subprocess
import sys

import pytest

from storage import actions, connections
from storage.actions import Asked
from storage.senders import Sender


@pytest.fixture
async def unknown(db):
    """An action of which nobody knows what came of it."""
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
    digests = [hashlib.sha256(text).digest() for text in (b"k", b"b")]
    async with Sender(db) as sender:
        row = await actions.claim(db, sender, Asked(connection.id, "stripe.create_subscription", *digests))
        await actions.doubt(db, row, "unproved", "It is not known whether this was done.")
    return row


def syncline(*arguments):
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


RUN = "import sys; from cli.main import run; sys.exit(run(sys.argv[1:]))"


async def test_listed_and_settled(unknown):
    """What is unknown is shown with the command that settles it; settled once, it stays so."""
    table = syncline("actions")
    listed = json.loads(syncline("actions", "--json").stdout)["items"]
    settled = syncline("actions", "resolve", str(unknown.id)[:8], "succeeded", "--json")
    again = syncline("actions", "resolve", str(unknown.id)[:8], "failed", "--json")

    assert f"syncline actions resolve {str(unknown.id)[:8]}" in table.stderr
    assert [(one["id"], one["status"]) for one in listed] == [(str(unknown.id), "unknown")]
    assert json.loads(settled.stdout) == {"id": str(unknown.id), "status": "succeeded"}
    assert again.returncode == 1
    error = json.loads(again.stdout)["error"]
    assert (error["code"], bool(error["action"])) == ("action_settled", True)
    assert json.loads(syncline("actions", "--json").stdout)["items"][0]["status"] == "succeeded"


@pytest.mark.parametrize("arguments", [("resolve", "abc", "maybe"), ("resolve", "abc"), ("resolve", "0000", "failed")])
async def test_wrong_use(unknown, arguments):
    """An outcome that is none, one that is missing and an id of nobody are exit code 2."""
    assert syncline("actions", *arguments).returncode == 2
