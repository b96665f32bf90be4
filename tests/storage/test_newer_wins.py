"""Whichever write comes last, an older state never replaces a newer one."""

import pytest

from storage import full_reads
from storage.loads import Counts
from tests.fixtures.copies import thing


async def names(copy):
    return {key: row["name"] for key, row in (await copy.rows()).items() if row["deleted_at"] is None}


async def by_id(copy, note, key, **fields):
    return await copy.commit(copy.load(note, thing(key, **fields), read_by_id=[key]))


async def begin(copy):
    starts = {"things": [{}]}
    return (await full_reads.begin(copy.db, copy.run, starts, change_cursor={}, confirm_deletes=False))["things"]


async def test_a_page_that_waited_does_not_undo_a_read_by_id(copy):
    """What was asked for before somebody wrote the row is not written over it; the record is read again."""
    await copy.commit(copy.load(0, thing("a", name="old")))
    asked = await copy.note()
    await by_id(copy, asked, "a", name="new")

    done = await copy.commit(copy.load(asked, thing("a", name="old")), copy.load(asked, thing("b", name="b")))

    assert await names(copy) == {"a": "new", "b": "b"}
    assert await copy.rereads() == ["a"]
    assert done.counts["things"] == Counts(read=2, written=1, unchanged=1)


async def test_reading_again_with_a_fresh_note_settles_it(copy):
    """A record stays to be read again until it was asked for after that was noted."""
    asked = await copy.note()
    await by_id(copy, asked, "a", name="new")
    await copy.commit(copy.load(asked, thing("a", name="old")))

    await by_id(copy, asked, "a", name="new")
    assert await copy.rereads() == ["a"]
    await by_id(copy, await copy.note(), "a", name="newest")

    assert await copy.rereads() == []
    assert await names(copy) == {"a": "newest"}


async def test_a_state_that_came_back_is_newer_than_the_one_between(copy):
    """A, then B, then A again: a page that saw B does not replace the second A, though nothing had to be written."""
    await copy.commit(copy.load(0, thing("a", name="A")))
    asked = await copy.note()
    await by_id(copy, asked, "a", name="A")

    await copy.commit(copy.load(asked, thing("a", name="B")))

    assert await names(copy) == {"a": "A"}
    assert await copy.rereads() == ["a"]


@pytest.mark.parametrize("known", [True, False], ids=["a row", "no row"])
async def test_a_page_that_waited_brings_nothing_back_to_life(copy, known):
    """A record that was deleted while a page was under way stays deleted, whether there was a row or none."""
    if known:
        await copy.commit(copy.load(0, thing("a", name="A")))
    asked = await copy.note()
    done = await copy.commit(copy.load(asked, deleted=["a"]))
    assert done.counts["things"].deleted == int(known)

    await copy.commit(copy.load(asked, thing("a", name="A")))

    assert await names(copy) == {}
    assert await copy.rereads() == ["a"]


async def test_what_really_came_back_loses_its_tombstone(copy):
    """A record that is read after its deletion was stored is alive again, as a change."""
    await copy.commit(copy.load(0, thing("a", name="A")))
    await copy.commit(copy.load(await copy.note(), deleted=["a"]))
    before = (await copy.rows())["a"]["change_seq"]

    done = await copy.commit(copy.load(await copy.note(), thing("a", name="A")))

    assert await names(copy) == {"a": "A"}
    assert (await copy.rows())["a"]["change_seq"] > before
    assert done.counts["things"].written == 1
    assert (await copy.state())["rows"] == 1


@pytest.mark.parametrize("equal", [True, False], ids=["equal content", "other content"])
async def test_a_late_deletion_does_not_kill_what_was_read_since(copy, equal):
    """A deletion that was told before the record was read again is not believed; the record is read again."""
    await copy.commit(copy.load(0, thing("a", name="A")))
    asked = await copy.note()
    await by_id(copy, asked, "a", name="A" if equal else "B")

    done = await copy.commit(copy.load(asked, deleted=["a"]))

    assert list(await names(copy)) == ["a"]
    assert await copy.rereads() == ["a"]
    assert done.counts["things"].deleted == 0


async def test_pages_of_a_full_read_out_of_their_order(copy):
    """What a page of a full read found equal stands against pages of it that were asked for before."""
    await copy.commit(copy.load(0, thing("a", name="A")))
    full_read = await begin(copy)
    asked = await copy.note()
    await copy.commit(copy.load(asked, thing("a", name="A"), full_read=full_read.id))

    await copy.commit(copy.load(asked, thing("a", name="B"), full_read=full_read.id))

    assert await names(copy) == {"a": "A"}
    assert await copy.rereads() == ["a"]


async def test_what_a_full_read_saw_stands_against_a_read_by_id_too(copy):
    """A read by id, or a deletion, that was asked for before a page found the row equal does not replace it."""
    await copy.commit(copy.load(0, thing("a", name="A"), thing("b", name="B")))
    full_read = await begin(copy)
    asked = await copy.note()
    await copy.commit(copy.load(asked, thing("a", name="A"), thing("b", name="B"), full_read=full_read.id))

    await by_id(copy, asked, "a", name="older")
    await copy.commit(copy.load(asked, deleted=["b"]))

    assert await names(copy) == {"a": "A", "b": "B"}
    assert await copy.rereads() == ["a", "b"]


async def test_an_old_note_only_costs_reads(copy):
    """Equal content is left as it is however old its note; other content is read again, never lost."""
    await by_id(copy, 0, "a", name="A")
    await by_id(copy, 0, "a", name="A")
    assert await copy.rereads() == []

    await by_id(copy, 0, "a", name="B")
    assert await copy.rereads() == ["a"]


async def test_touched_records_are_to_be_read_once(copy):
    """However often a change feed names a record, it stands once among those to be read by id."""
    await copy.commit(copy.load(0, touched=["a", "b", "a"]))
    await copy.commit(copy.load(0, touched=["a"]))

    assert sorted(await copy.rereads()) == ["a", "b"]


async def test_one_key_in_two_pages_of_a_group(copy):
    """Pages written together have no order among each other: a key in both is read again."""
    done = await copy.commit(
        copy.load(0, thing("a", name="1"), thing("b", name="b")), copy.load(0, thing("a", name="2"))
    )

    assert await copy.rereads() == ["a"]
    assert done.counts["things"] == Counts(read=3, written=2, unchanged=1)


async def test_one_key_in_two_pages_of_a_group_with_an_odd_record(copy):
    """That one record has to be mended changes nothing about it."""
    odd = b'{"id": "odd", "name": "\\u0000"}'
    done = await copy.commit(copy.load(0, thing("a", name="1"), odd), copy.load(0, thing("a", name="2")))

    assert await copy.rereads() == ["a"]
    assert done.counts["things"] == Counts(read=3, written=2, unchanged=1, altered=1)
