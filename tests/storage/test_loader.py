"""The loader commits what it is given in order, together with its checkpoints, and says what became of it."""

import asyncio
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import batch, loader
from storage.batch import StaleRead
from storage.checkpoints import Statement, change_cursor
from storage.disconnect import disconnect
from storage.errors import Fenced
from storage.loader import Loader
from storage.loads import RECORDS, Counts
from storage.notify import Notifier
from tests.fixtures.copies import new_copy, thing


@pytest.fixture
async def notifier(shop):
    async with Notifier(shop) as opened:
        yield opened


def checkpoint(copy, **cursor):
    return change_cursor(copy.connection_id, "things", cursor)


FAILING = Statement("failing", "SELECT 1 / 0", {})


async def test_what_was_added_is_committed_when_the_block_ends(copy, notifier):
    """Rows, checkpoint and counts are there, in the order of change_seq that they were added in."""
    seen = []
    async with Loader(copy.db, copy.run, notifier, lambda stream, counts: seen.append((stream, counts))) as load:
        for number in range(20):
            await load.add(copy.load(load.note, thing(f"{number}"), after=[checkpoint(copy, n=number)]))

    rows = await copy.rows()
    assert list(rows) == [str(number) for number in range(20)]
    state = await copy.state()
    assert state["cursor"] == {"n": 19}
    assert state["rows"] == 20
    total = Counts()
    for _, counts in seen:
        total += counts
    assert total == Counts(read=20, written=20)


async def test_the_note_moves_with_each_commit(copy, notifier):
    """After a flush the note is the connection's counter, and it only rises."""
    async with Loader(copy.db, copy.run, notifier) as load:
        notes = [load.note]
        for number in range(5):
            await load.add(copy.load(load.note, thing(f"{number}")))
            await load.flush()
            notes.append(load.note)
            assert load.note == await copy.note()

    assert notes == sorted(set(notes))


async def test_rows_and_checkpoint_are_committed_together_or_not_at_all(copy, notifier):
    """When the checkpoint fails none of its records is stored, and whoever adds more is told."""
    with pytest.raises(Exception, match="zero"):  # noqa: PT012
        async with Loader(copy.db, copy.run, notifier) as load:
            await load.add(copy.load(load.note, thing("a"), thing("b"), after=[checkpoint(copy, n=1), FAILING]))
            await load.flush()

    assert await copy.rows() == {}
    assert (await copy.state())["cursor"] is None
    assert (await copy.state())["rows"] == 0
    assert await copy.note() == 0


async def test_what_waits_when_the_block_fails_is_not_written(copy, notifier):
    """A block that fails leaves out what it had added, with its checkpoints."""
    with pytest.raises(LookupError):  # noqa: PT012
        async with Loader(copy.db, copy.run, notifier) as load:
            await load.add(copy.load(load.note, thing("a"), after=[checkpoint(copy, n=1)]))
            raise LookupError

    assert (await copy.state())["cursor"] == ({"n": 1} if await copy.rows() else None)


async def test_a_large_load_is_committed_in_pieces_its_checkpoint_last(copy, notifier):
    """More records than one statement takes are all stored; the checkpoint comes with the last of them."""
    records = [thing(f"{number:05}") for number in range(RECORDS * 2 + 1)]
    load = copy.load(0, *records, after=[checkpoint(copy, n=1)])
    pieces = list(load.pieces())
    assert [len(piece.records) for piece in pieces] == [RECORDS, RECORDS, 1]
    assert [bool(piece.after) for piece in pieces] == [False, False, True]

    async with Loader(copy.db, copy.run, notifier) as writing:
        await writing.add(load)

    assert list(await copy.rows()) == [f"{number:05}" for number in range(len(records))]


async def test_a_read_that_waited_too_long_is_not_written(copy, notifier):
    """After ten minutes nobody knows any more what was written in between."""
    old = replace(copy.load(0, thing("a")), read_at=time.monotonic() - batch.STALE_SECONDS - 1)
    with pytest.raises(StaleRead):
        async with Loader(copy.db, copy.run, notifier) as load:
            await load.add(old)

    assert await copy.rows() == {}


async def test_a_run_that_was_taken_over_writes_nothing(copy, notifier):
    """Whoever lost the connection to another run, or to a disconnect, is told so and has written nothing."""
    before = copy.run
    await copy.take_over()
    with pytest.raises(Fenced):
        async with Loader(copy.db, before, notifier) as load:
            await load.add(copy.load(load.note, thing("a")))

    await disconnect(copy.db, copy.connection_id)
    with pytest.raises(Fenced):
        async with Loader(copy.db, copy.run, notifier) as load:
            await load.add(copy.load(load.note, thing("a")))

    assert await copy.rows() == {}


async def test_a_transaction_that_took_its_time_leaves_the_rest_to_the_next(copy, notifier, monkeypatch):
    """Each load is committed in full with its checkpoint, at least one in every transaction, none twice."""
    monkeypatch.setattr(batch, "TRANSACTION_SECONDS", 0)
    seen = []
    async with Loader(copy.db, copy.run, notifier, lambda _, counts: seen.append(counts.read)) as load:
        for number in range(8):
            await load.add(copy.load(load.note, thing(f"{number}"), touched=["t"], after=[checkpoint(copy, n=number)]))

    assert seen == [1] * 8
    assert list(await copy.rows()) == [str(number) for number in range(8)]
    assert (await copy.state())["cursor"] == {"n": 7}


async def test_memory_stays_bounded(copy, notifier, monkeypatch):
    """Whoever adds faster than Postgres writes has to wait."""
    monkeypatch.setattr(loader, "QUEUE_LOADS", 3)
    async with Loader(copy.db, copy.run, notifier) as load:
        most = 0
        for number in range(30):
            await load.add(copy.load(load.note, thing(f"{number}")))
            most = max(most, len(load._queue))

    assert most <= 3
    assert len(await copy.rows()) == 30


async def test_two_writers_of_one_connection_take_turns(copy, notifier):
    """However many write side by side, each change_seq is given once, above all that was committed before."""
    polled = []
    ended = asyncio.Event()

    async def poll():
        last = 0
        while not ended.is_set() or last < await copy.note() - 1:
            query = "SELECT id, change_seq FROM shop.things WHERE connection_id = %s AND change_seq > %s ORDER BY 2"
            rows = await copy.ask(query, copy.connection_id, last)
            polled.extend(row["id"] for row in rows)
            last = rows[-1]["change_seq"] if rows else last
            if ended.is_set():
                return

    async def write(name):
        async with Loader(copy.db, copy.run, notifier) as load:
            for number in range(30):
                await load.add(copy.load(load.note, thing(f"{name}{number}")))

    polling = asyncio.create_task(poll())
    await asyncio.gather(write("a"), write("b"))
    ended.set()
    await polling

    assert sorted(polled) == sorted(await copy.rows())
    assert len(polled) == len(set(polled)) == 60


async def test_deletions_count_and_leave_the_record(copy):
    """A tombstone keeps the row's content and takes a change_seq; deleting twice, or nothing, is no change."""
    await copy.commit(copy.load(0, thing("a", name="A"), thing("b")))
    before = await copy.rows()
    deletions = copy.load(await copy.note(), deleted=["a", "a", "nobody"])

    done = await copy.commit(deletions)
    after = await copy.rows()
    again = await copy.commit(replace(deletions, note=await copy.note()))

    assert done.counts["things"].deleted == 1
    assert after["a"]["deleted_at"]
    assert after["a"]["name"] == "A"
    assert after["a"]["synced_at"] == before["a"]["synced_at"]
    assert after["a"]["change_seq"] > before["b"]["change_seq"]
    assert after["b"] == before["b"]
    assert again.counts["things"].deleted == 0
    assert await copy.rows() == after
    assert (await copy.state())["rows"] == 1


@pytest.mark.parametrize("key", ["a\x00b", "\ud800", "x" * 10_000, ""])
async def test_a_key_that_can_name_no_row_stops_nothing(copy, key):
    """A change feed that names such a key is heeded in all else."""
    await copy.commit(copy.load(0, thing("a"), touched=["t", key], deleted=[key, "d"]))

    assert list(await copy.rows()) == ["a"]
    assert await copy.rereads() == ["t"]


steps = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "y", None])), min_size=1, max_size=6)


@settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(steps, min_size=1, max_size=6))
async def test_whatever_changes_takes_a_number_above_all_before(shop, batches):
    """Batch by batch, a row that changed has a new change_seq of its own, and one that did not is not rewritten."""
    copy = await new_copy(shop)
    model, rows = {}, {}
    try:
        for batch in batches:
            note = await copy.note()
            last = dict(batch)
            records = [thing(key, name=name) for key, name in batch if last[key]]
            gone = [key for key in last if last[key] is None]
            await copy.commit(copy.load(note, *records, deleted=gone))
            model |= {key: name for key, name in last.items() if name or key in model}

            before, rows = rows, await copy.rows()

            assert {key: row["name"] for key, row in rows.items() if not row["deleted_at"]} == {
                key: name for key, name in model.items() if name
            }
            for key, row in rows.items():
                old = before.get(key)
                same = old and (old["raw"], old["deleted_at"]) == (row["raw"], row["deleted_at"])
                assert row == old if same else note < row["change_seq"] <= await copy.note()
            assert len({row["change_seq"] for row in rows.values()}) == len(rows)
    finally:
        await copy.stack.aclose()
