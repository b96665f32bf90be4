import asyncio
import os
import signal
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet, InvalidToken

from storage import connections, keys
from storage.disconnect import disconnect
from storage.errors import KeysUnusable
from storage.rotation import rotate

# For every number it is told, rotates in a process of its own that dies of kill -9 at that step (0: at none).
KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from storage import rotation
from storage.database import open_database

left = 0

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def stepping(work):
    async def stepped(*args):
        step()
        result = await work(*args)
        step()
        return result
    return stepped

def replace(beside, target, replace=Path.replace):
    step()
    replace(beside, target)
    step()

Path.replace = replace
for name in ("one_rotation", "_sealed", "keys_left", "_encrypt_anew"):
    setattr(rotation, name, stepping(getattr(rotation, name)))

async def main():
    async with open_database() as db:
        await rotation.rotate(db)

for line in sys.stdin:
    left = int(line)
    if (child := os.fork()) == 0:
        asyncio.run(main())
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

ROWS = 12
STEPS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 20, 25, 34, 35, 36, 37)
"""Before and after: the lock, the first look, the new key's file, the barrier, rows, the last look, the file again."""

# Reads all credentials over and over and says how often it failed.
READER = """
import asyncio, sys
from storage import connections
from storage.database import open_database

async def main():
    async with open_database() as db:
        found = await connections.listing(db)
        print("reading", flush=True)
        done = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
        count = 0
        while not done.done():
            for connection in found:
                assert (await connections.credentials(db, connection.id))["api_key"] == connection.external_account_id
                count += 1
        print(count, flush=True)

asyncio.run(main())
"""


@pytest.fixture
def kept_in_a_file(monkeypatch, db):
    """The keys are Syncline's own file, as with the embedded database."""
    monkeypatch.delenv("SYNCLINE_ENCRYPTION_KEYS")
    keys.make_first()


async def ciphertexts(db):
    async with db.connection() as conn:
        rows = await conn.execute("SELECT credentials FROM syncline.connection WHERE credentials IS NOT NULL")
        return [row["credentials"] async for row in rows]


async def opened_by(db, key):
    count = 0
    for ciphertext in await ciphertexts(db):
        try:
            Fernet(key).decrypt(ciphertext)
            count += 1
        except InvalidToken:
            pass
    return count


async def test_a_key_in_the_file_is_replaced(db, connect, kept_in_a_file):
    """All rows are on the new key, the old one is gone from the file, and everything still opens."""
    [old] = keys.read_file()
    made = [await connect(account=f"acct_{n}", api_key=f"key-{n}") for n in range(3)]
    await disconnect(db, (await connect(account="gone")).id)

    assert await rotate(db) == 3

    [new] = keys.read_file()
    assert new != old
    assert await opened_by(db, old) == 0
    assert await opened_by(db, new) == 3
    assert [(await connections.credentials(db, c.id))["api_key"] for c in made] == ["key-0", "key-1", "key-2"]


async def test_a_key_from_the_environment_is_put_first_by_hand(db, connect, monkeypatch):
    """With keys in a setting the rows move to its first key; a second rotation finds nothing to do."""
    old, new = os.environ["SYNCLINE_ENCRYPTION_KEYS"], keys.generate()
    connection = await connect(api_key="x")
    monkeypatch.setenv("SYNCLINE_ENCRYPTION_KEYS", f"{new},{old}")

    assert await rotate(db) == 1
    assert await rotate(db) == 0

    monkeypatch.setenv("SYNCLINE_ENCRYPTION_KEYS", new)
    assert await connections.credentials(db, connection.id) == {"api_key": "x"}


async def test_an_old_key_removed_too_early_is_missed_before_anything_changes(db, connect, kept_in_a_file):
    """Credentials that no key opens stop the rotation, and every key stays in its place."""
    await connect()
    other = keys.generate()
    keys.write_file([other])

    with pytest.raises(KeysUnusable, match="1 connection"):
        await rotate(db)

    assert keys.read_file() == [other]


async def test_a_moved_ciphertext_is_refused_in_a_rotation_too(db, connect, kept_in_a_file):
    """A rotation never makes a stolen ciphertext valid in its new row."""
    first, second = await connect(account="acct_1"), await connect(account="acct_2")
    async with db.connection() as conn:
        await conn.execute(
            "UPDATE syncline.connection SET credentials = (SELECT credentials FROM syncline.connection WHERE id = %s)"
            " WHERE id = %s",
            [first.id, second.id],
        )

    with pytest.raises(KeysUnusable, match=str(second.id)):
        await rotate(db)


async def test_two_rotations_take_turns(db, connect, kept_in_a_file):
    """Rotations at one moment all finish, and one key is left."""
    connection = await connect(api_key="x")

    await asyncio.gather(*(rotate(db) for _ in range(4)))

    assert len(keys.read_file()) == 1
    assert await connections.credentials(db, connection.id) == {"api_key": "x"}


async def test_whoever_connects_during_a_rotation_is_not_left_behind(db, connect, kept_in_a_file):
    """Connections that are made while keys change end up on a key that is kept."""
    done = asyncio.Event()

    async def keep_connecting():
        made = []
        while not done.is_set():
            made.append(await connect(account=f"acct_{len(made)}", api_key=f"key-{len(made)}"))
        return made

    task = asyncio.create_task(keep_connecting())
    for _ in range(5):
        await rotate(db)
    done.set()

    for n, connection in enumerate(await task):
        assert (await connections.credentials(db, connection.id))["api_key"] == f"key-{n}"
    assert len(keys.read_file()) == 1


async def test_killed_twenty_times_under_load_nothing_fails_to_decrypt(db, connect, kept_in_a_file):
    """kill -9 at twenty steps of rotations while somebody reads: no read fails, and one more rotation ends it."""
    for n in range(ROWS):
        await connect(account=f"acct_{n}", api_key=f"acct_{n}")

    killed, reads = await asyncio.to_thread(kill_rotations_under_load)

    [last] = keys.read_file()
    assert await opened_by(db, last) == ROWS
    assert killed == len(STEPS) == 20
    assert reads > 50


def kill_rotations_under_load():
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        subprocess.Popen([sys.executable, "-c", READER], **piped) as reader,
        subprocess.Popen([sys.executable, "-c", KILLED], **piped) as rotator,
    ):

        def rotation_ends(step):
            rotator.stdin.write(f"{step}\n")
            rotator.stdin.flush()
            return int(rotator.stdout.readline())

        assert reader.stdout.readline() == "reading\n"
        killed = [rotation_ends(step) for step in STEPS].count(-signal.SIGKILL)
        assert rotation_ends(0) == 0
        assert reader.poll() is None
        rotator.stdin.close()
        reader.stdin.write("done\n")
        reader.stdin.flush()
        return killed, int(reader.stdout.readline())
