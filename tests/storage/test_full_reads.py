"""A full read goes on where it stopped, and knows what it has not met once it has read everything."""

import pytest

from storage import full_reads
from storage.absentees import Absentees
from storage.errors import Fenced
from tests.fixtures.copies import THINGS, new_copy, thing


async def begin(copy, **fields):
    fields = {"change_cursor": {"n": 1}, "starts": [{"after": ""}], "confirm_deletes": False} | fields
    return (await full_reads.begin(copy.db, copy.run, {"things": fields.pop("starts")}, **fields))["things"]


async def unfinished(copy):
    return await full_reads.unfinished(copy.db, copy.connection_id)


async def absent(copy, full_read):
    absentees = Absentees.of_full_read(copy.db, copy.connection_id, THINGS, full_read)
    keys = await absentees.after("", limit=100)
    assert (await absentees.count())[0] == len(keys)
    return keys


async def page(copy, full_read, *records, **fields):
    await copy.commit(copy.load(await copy.note(), *records, full_read=full_read.id, **fields))


async def test_a_full_read_goes_on_at_its_checkpoints(copy):
    """After a crash the next run finds the read, and of each part the cursor behind the last committed page."""
    full_read = await begin(copy)
    [part], _ = await full_reads.parts(copy.db, full_read)
    await page(copy, full_read, thing("a"), after=[full_reads.part_checkpoint(part, {"after": "a"})])

    await copy.take_over()

    assert await unfinished(copy) == {"things": full_read}
    [part], done = await full_reads.parts(copy.db, full_read)
    assert (part.cursor, done) == ({"after": "a"}, 0)


async def test_of_several_checkpoints_in_a_transaction_the_last_counts(copy):
    """Pages committed together leave the part where the last of them ended, or ended altogether."""
    full_read = await begin(copy)
    [part], _ = await full_reads.parts(copy.db, full_read)
    loads = [
        copy.load(
            0, thing(key), full_read=full_read.id, after=[full_reads.part_checkpoint(part, {"after": key}, done=end)]
        )
        for key, end in [("a", False), ("b", False), ("c", True)]
    ]

    await copy.commit(*loads[:2])
    left, _ = await full_reads.parts(copy.db, full_read)
    assert [part.cursor for part in left] == [{"after": "b"}]
    await copy.commit(loads[2])

    assert await full_reads.parts(copy.db, full_read) == ([], 1)


async def test_a_part_is_split_in_two(copy):
    """The first goes on at its own cursor, the second is new, and both are found again."""
    full_read = await begin(copy)
    [part], _ = await full_reads.parts(copy.db, full_read)

    new, after = full_reads.split(full_read, part, ({"until": "m"}, {"after": "m"}))
    await copy.commit(copy.load(0, thing("a"), full_read=full_read.id, after=after))

    left, _ = await full_reads.parts(copy.db, full_read)
    assert {each.id: each.cursor for each in left} == {part.id: {"until": "m"}, new.id: {"after": "m"}}


async def test_beginning_anew_forgets_the_old_read(copy):
    """There is one full read of a stream; what the one before saw counts no more."""
    await copy.commit(copy.load(0, thing("a")))
    old = await begin(copy)
    await page(copy, old, thing("a"))

    new = await begin(copy, confirm_deletes=True)

    assert await unfinished(copy) == {"things": new}
    assert new.confirm_deletes
    assert await absent(copy, new) == ["a"]


async def test_finishing_hands_the_change_feed_on(copy):
    """The change cursor is the one from before the first page, and the read is over."""
    full_read = await begin(copy, change_cursor={"n": 7})

    await copy.commit(copy.load(0, after=full_reads.finished(copy.connection_id, full_read)))

    state = await copy.state()
    assert state["cursor"] == {"n": 7}
    assert state["last_full_sync"]
    assert state["last_sync"]
    assert await unfinished(copy) == {}


async def test_who_was_taken_over_begins_no_full_read(copy):
    """A run that lost its connection cannot start another read."""
    full_read = await begin(copy)
    [part], _ = await full_reads.parts(copy.db, full_read)
    before = copy.run
    await copy.take_over()

    with pytest.raises(Fenced):
        await full_reads.begin(copy.db, before, {"things": [{}]}, change_cursor={}, confirm_deletes=False)

    assert await full_reads.parts(copy.db, full_read) == ([part], 0)


async def test_what_was_not_met_is_absent(copy):
    """Seen unchanged, seen changed, new, written or read by id since: none of these; the rest are candidates."""
    before = ["equal", "changed", "written", "asked", "missed", "gone already", "missed too"]
    await copy.commit(copy.load(0, *map(thing, before)))
    await copy.commit(copy.load(await copy.note(), deleted=["gone already"]))
    full_read = await begin(copy)
    await page(copy, full_read, thing("equal"), thing("changed", name="x"), thing("new"))
    await copy.commit(copy.load(await copy.note(), thing("written", name="x"), read_by_id=["written"]))
    await copy.commit(copy.load(await copy.note(), thing("asked"), read_by_id=["asked"]))

    assert await absent(copy, full_read) == ["missed", "missed too"]
    absentees = Absentees.of_full_read(copy.db, copy.connection_id, THINGS, full_read)
    assert await absentees.count() == (2, 7)
    assert await absentees.after("missed", limit=10) == ["missed too"]
    assert await absentees.after("", limit=1) == ["missed"]
    assert set(await absentees.sample(1)) < {"missed", "missed too"}


async def test_what_was_seen_survives_a_crash(copy):
    """What a read saw before its run died is not absent when the next one ends it."""
    await copy.commit(copy.load(0, thing("a"), thing("b"), thing("c")))
    full_read = await begin(copy)
    await page(copy, full_read, thing("a"))

    await copy.take_over()
    await page(copy, full_read, thing("b"))

    assert await absent(copy, full_read) == ["c"]


async def test_a_late_page_is_no_sign_of_life(copy):
    """A key that a page could not vouch for is read again by id; only then it counts as met."""
    await copy.commit(copy.load(0, thing("a", name="A")))
    asked = await copy.note()
    await copy.commit(copy.load(asked, thing("a", name="B")))
    full_read = await begin(copy)

    await copy.commit(copy.load(asked, thing("a", name="A"), full_read=full_read.id))

    assert await copy.rereads() == ["a"]
    assert await absent(copy, full_read) == ["a"]


async def test_other_connections_rows_are_not_concerned(copy, shop):
    """A full read of one connection says nothing of another's rows with the same keys."""
    other = await new_copy(shop)
    await other.commit(other.load(0, thing("a"), thing("b")))
    await copy.commit(copy.load(0, thing("a"), thing("b")))
    full_read = await begin(copy)
    await page(copy, full_read, thing("a"))

    assert await absent(copy, full_read) == ["b"]
    await copy.commit(copy.load(await copy.note(), deleted=["b"]))

    assert [row["deleted_at"] for row in (await other.rows()).values()] == [None, None]
    await other.stack.aclose()
