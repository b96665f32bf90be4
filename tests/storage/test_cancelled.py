"""Cancelled records: what is gone is a tombstone, with the content it had or with what is left of it."""

import json

from tests.fixtures.copies import thing


async def test_a_row_keeps_its_content(copy):
    """Sparse remains replace nothing: the row becomes a tombstone as it is."""
    await copy.commit(copy.load(0, thing("a", name="whole")))

    done = await copy.commit(copy.load(await copy.note(), cancelled=[thing("a", status="cancelled")]))

    row = (await copy.rows())["a"]
    assert row["deleted_at"]
    assert row["name"] == "whole"
    assert done.counts["things"].deleted == 1


async def test_remains_without_a_row_make_one(copy):
    """A record that was never here is stored as a tombstone with its columns, once."""
    done = await copy.commit(copy.load(0, cancelled=[thing("a", name="left"), thing("b"), thing("a", name="later")]))

    rows = await copy.rows()
    assert {key: row["name"] for key, row in rows.items()} == {"a": "later", "b": None}
    assert all(row["deleted_at"] for row in rows.values())
    assert done.counts["things"].deleted == 2
    assert (await copy.state())["rows"] == 0


async def test_a_second_time_changes_nothing(copy):
    """The same cancellation again leaves the row untouched, down to its transaction."""
    await copy.commit(copy.load(0, cancelled=[thing("a", name="left")]))
    before = await copy.rows()

    done = await copy.commit(copy.load(await copy.note(), cancelled=[thing("a", name="left")]))

    assert await copy.rows() == before
    assert done.counts["things"].deleted == 0


async def test_a_record_that_comes_back(copy):
    """A record read after its cancellation is alive again; one read before it is not."""
    before = await copy.note()
    await copy.commit(copy.load(before, cancelled=[thing("a")]))

    await copy.commit(copy.load(before, thing("a", name="old")))
    assert (await copy.rows())["a"]["deleted_at"]
    assert await copy.rereads() == ["a"]
    await copy.commit(copy.load(await copy.note(), thing("a", name="new")))
    row = (await copy.rows())["a"]
    assert (row["deleted_at"], row["name"]) == (None, "new")


async def test_somebody_wrote_it_since(copy):
    """A cancellation that was asked for before a newer write is looked at again, not believed."""
    note = await copy.note()
    await copy.commit(copy.load(note, thing("a", name="newer")))

    await copy.commit(copy.load(note, cancelled=[thing("a")]))

    assert (await copy.rows())["a"]["deleted_at"] is None
    assert await copy.rereads() == ["a"]


async def test_odd_remains_cost_only_themselves(copy):
    """What Postgres refuses or cannot name is left out; the others become tombstones."""
    odd = [b'{"id": 7}', b"[]", b'{"id": "n", "x": "\\u0000"}', b"{", json.dumps({"id": "x" * 3000}).encode()]

    await copy.commit(copy.load(0, cancelled=[thing("a"), *odd, thing("b")]))

    assert set(await copy.rows()) == {"a", "b", "n"}
    assert await copy.rejected() == []
