import asyncio
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from uuid import uuid4

import pytest

from storage import connections, runs
from storage.disconnect import disconnect, purge
from storage.errors import Fenced, NotActive, UnknownId
from storage.locks import write_lock
from storage.runs import take_run

TAKER = """
import asyncio, sys
from uuid import UUID
from storage.database import open_database
from storage.runs import end, take_run

async def main():
    async with open_database() as db:
        print("ready", flush=True)
        sys.stdin.readline()
        async with take_run(db, UUID(sys.argv[1]), mode="incremental", trigger="cli") as run:
            print("running" if run else "skipped", flush=True)
            if run:
                sys.stdin.readline()
                await end(db, run, "done", {})

asyncio.run(main())
"""


@pytest.fixture
def taker():
    """`taker(connection_id)`: another process, ready to take that connection's run."""
    with ExitStack() as stack:

        def start(connection_id):
            process = subprocess.Popen(
                [sys.executable, "-c", TAKER, str(connection_id)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def ready(process):
    assert process.stdout.readline() == "ready\n"
    return process


def go(process):
    process.stdin.write("go\n")
    process.stdin.flush()


async def outcomes(db, connection_id):
    return [run["outcome"] for run in await runs.listing(db, connection_id)]


async def write(db, run):
    async with db.transaction() as conn:
        await write_lock(conn, run.connection_id)
        return await runs.fence(conn, run)


async def test_a_run_is_noted_from_beginning_to_end(db, connection):
    """A run is listed while it goes on, and afterwards with its outcome and counts."""
    async with take_run(db, connection.id, mode="full", trigger="cli", flow_run_id=uuid4()) as run:
        await runs.progress(db, run, {"customers": {"records": 7}}, {"customers": {"read": 7}})
        [under_way] = await runs.listing(db, connection.id)
        await runs.end(db, run, "done", {"customers": {"read": 9}})

    [ended] = await runs.listing(db, connection.id)
    assert under_way["outcome"] is None
    assert under_way["streams"] == {"customers": {"read": 7}}
    assert (ended["id"], ended["outcome"], ended["mode"], ended["trigger"]) == (str(run.id), "done", "full", "cli")
    assert ended["flow_run_id"] == str(run.flow_run_id)
    assert ended["streams"] == {"customers": {"read": 9}}
    assert ended["started_at"] < ended["ended_at"]
    assert ended["ended_at"].endswith("Z")


async def test_a_second_run_in_the_same_process_is_skipped(db, connection):
    """The run lock is no friend of its own process: a second taker is turned away and noted."""
    async with take_run(db, connection.id, mode="incremental", trigger="cli") as first:
        async with take_run(db, connection.id, mode="incremental", trigger="schedule") as second:
            assert second is None
        await runs.end(db, first, "done", {})

    assert sorted(await outcomes(db, connection.id)) == ["done", "skipped"]
    assert not (await connections.get(db, connection.id)).full_due


async def test_a_full_sync_that_cannot_wait_leaves_the_connection_due(db, connection):
    """A full sync that found the connection busy is carried out by the next run."""
    async with (
        take_run(db, connection.id, mode="incremental", trigger="cli"),
        take_run(db, connection.id, mode="full", trigger="schedule", wait=0.2) as second,
    ):
        assert second is None

    assert (await connections.get(db, connection.id)).full_due


async def test_a_full_sync_waits_its_turn(db, connection):
    """Whoever waits gets the run as soon as the one before has ended."""
    order = []

    async def first():
        async with take_run(db, connection.id, mode="incremental", trigger="cli") as run:
            await asyncio.sleep(0.3)
            order.append("first")
            await runs.end(db, run, "done", {})

    async def second():
        await asyncio.sleep(0.1)
        async with take_run(db, connection.id, mode="full", trigger="cli", wait=30) as run:
            order.append("second")
            await runs.end(db, run, "done", {})

    await asyncio.gather(first(), second())

    assert order == ["first", "second"]
    assert await outcomes(db, connection.id) == ["done", "done"]


async def test_the_lock_is_free_the_moment_a_run_has_ended(db, connection):
    """Runs in close order never find their predecessor still in the way."""
    for _ in range(20):
        async with take_run(db, connection.id, mode="incremental", trigger="cli") as run:
            assert run
            await runs.end(db, run, "done", {})


async def test_a_run_that_breaks_is_noted_as_crashed(db, connection):
    """An error that nobody turned into an outcome is still seen in the list."""
    with pytest.raises(RuntimeError, match="broken"):
        async with take_run(db, connection.id, mode="incremental", trigger="cli"):
            raise RuntimeError("broken")

    [run] = await runs.listing(db, connection.id)
    assert run["outcome"] == "crashed"
    assert "goes on where it stopped" in run["error"]


@pytest.mark.parametrize(("state", "word"), [("paused", "Resume"), ("needs_reconnect", "Reconnect")])
async def test_only_an_active_connection_runs(db, connection, state, word):
    """A connection that may not be synced says why and what to do, and no run is noted."""
    async with db.connection() as conn:
        await conn.execute("UPDATE syncline.connection SET state = %s", [state])

    with pytest.raises(NotActive, match=word):
        async with take_run(db, connection.id, mode="incremental", trigger="cli"):
            pass

    assert await outcomes(db, connection.id) == []


async def test_an_unknown_connection_does_not_run(db):
    """A connection that was purged is not known any more."""
    with pytest.raises(UnknownId):
        async with take_run(db, uuid4(), mode="incremental", trigger="cli"):
            pass


async def test_a_run_that_lost_its_lock_writes_nothing_more(db, connection):
    """A run whose lock session died is fenced off by the next one, and may say of itself that it was skipped."""
    async with take_run(db, connection.id, mode="incremental", trigger="cli") as zombie:
        assert await write(db, zombie) == 0
        async with db.connection() as conn:
            await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )

        async with take_run(db, connection.id, mode="incremental", trigger="schedule", wait=5) as heir:
            assert await write(db, heir) == 0
            with pytest.raises(Fenced, match="taken over"):
                await write(db, zombie)
            await runs.end(db, heir, "done", {})
        assert sorted(await outcomes(db, connection.id)) == ["crashed", "done"]
        await runs.end(db, zombie, "skipped", {})

    assert sorted(await outcomes(db, connection.id)) == ["done", "skipped"]


async def test_disconnecting_fences_a_run_off(db, connection):
    """Once disconnect has returned, the run under way writes no more."""
    async with take_run(db, connection.id, mode="incremental", trigger="cli") as run:
        await disconnect(db, connection.id)

        with pytest.raises(Fenced, match="disconnected"):
            await write(db, run)


async def test_purging_fences_a_run_off(db, connection):
    """A run of a connection that no longer exists writes no more, and ends without another error."""
    async with take_run(db, connection.id, mode="incremental", trigger="cli") as run:
        await purge(db, connection.id, [])

        with pytest.raises(Fenced, match="removed"):
            await write(db, run)
        await runs.end(db, run, "skipped", {})


async def test_reconnecting_meanwhile_does_not_let_an_old_run_back_in(db, connection, connect):
    """Disconnect and connect again during a run: the old run stays fenced off."""
    async with take_run(db, connection.id, mode="incremental", trigger="cli") as run:
        await disconnect(db, connection.id)
        await connect()

        with pytest.raises(Fenced, match="taken over"):
            await write(db, run)


async def test_of_eight_processes_one_runs(db, connection, taker):
    """Eight processes that start the same connection at one moment: one runs, seven are skipped."""
    processes = [taker(connection.id) for _ in range(8)]
    for process in processes:
        ready(process)
    for process in processes:
        go(process)

    words = [process.stdout.readline().strip() for process in processes]
    go(processes[words.index("running")])
    assert [process.wait(30) for process in processes] == [0] * 8

    assert sorted(words) == ["running"] + ["skipped"] * 7
    assert sorted(await outcomes(db, connection.id)) == ["done"] + ["skipped"] * 7


async def test_a_killed_process_leaves_its_lock_to_the_next(db, connection, taker):
    """kill -9 frees the run lock at once; the next run closes what the dead one left open."""
    process = ready(taker(connection.id))
    go(process)
    assert process.stdout.readline() == "running\n"

    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    async with take_run(db, connection.id, mode="incremental", trigger="schedule", wait=5) as run:
        assert run
        await runs.end(db, run, "done", {})

    assert await outcomes(db, connection.id) == ["done", "crashed"]


async def test_the_sweep_closes_only_what_nobody_holds(db, connection, connect, taker):
    """A dead run is closed and fenced by the sweep; a run under way is left alone."""
    process = ready(taker(connection.id))
    go(process)
    process.stdout.readline()
    process.kill()
    process.wait()
    alive = await connect(account="acct_2")

    async with take_run(db, alive.id, mode="incremental", trigger="cli") as run:
        for _ in range(100):
            if swept := await runs.sweep(db):
                break
            await asyncio.sleep(0.05)

        assert [dead.connection_id for dead in swept] == [connection.id]
        with pytest.raises(Fenced):
            await write(db, swept[0])
        assert await runs.sweep(db) == []
        await write(db, run)
    assert await outcomes(db, connection.id) == ["crashed"]


async def test_runs_are_listed_in_pages(db, connection):
    """A long list is read page by page, newest first, each run once."""
    for _ in range(5):
        async with take_run(db, connection.id, mode="incremental", trigger="cli") as run:
            await runs.end(db, run, "done", {})
    everything = [run["id"] for run in await runs.listing(db, connection.id)]

    first = [run["id"] for run in await runs.listing(db, connection.id, limit=3)]
    rest = [run["id"] for run in await runs.listing(db, connection.id, limit=3, before=first[-1])]

    assert first + rest == everything
    assert len(set(everything)) == 5
