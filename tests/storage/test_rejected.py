"""What cannot be stored is kept as it came, told once, and tried again when asked."""

import pytest

from storage import checkpoints, rejected, tables
from storage.errors import UnknownId
from storage.loads import Counts
from tasks.retry_rejected import retry_rejected
from tasks.stream_tables import tables_of
from tests.fixtures.copies import Copy, thing

SPOILT = b'{"id": "a\\u0000", "name": "x"}'


async def listed(copy):
    return await rejected.listing(copy.db)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"NaN", "it is not valid JSON"),
        (b"", "it is not valid JSON"),
        (b"[]", "it is not an object"),
        (b'{"name": 1}', "it has no id that is a text of 1 to 1200 bytes"),
        (SPOILT, "its key holds a character that Postgres cannot store"),
        (b'{"id": "a", "n": 1e200000}', "it holds a number too large to be stored exactly"),
        (b'{"id": "a", "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "it is nested too deeply"),
    ],
)
async def test_the_reason_is_told_in_words(copy, body, reason):
    """Each kind of refusal has a sentence, and the record is kept byte for byte."""
    await copy.commit(copy.load(0, body))

    assert await copy.rejected() == [(body, reason)]


async def test_what_was_mended_in_vain_is_kept_as_it_came(copy):
    """A record that stays refused after mending is set aside unmended."""
    body = b'{"id": 1, "name": "\xff\\u0000"}'
    done = await copy.commit(copy.load(0, thing("good"), body))

    assert [kept for kept, _ in await copy.rejected()] == [body]
    assert done.counts["things"] == Counts(read=2, written=1, rejected=1)


async def test_the_same_record_again_is_another_attempt(copy):
    """It stands in the list once, however often it comes, with the number of times."""
    for _ in range(3):
        await copy.commit(copy.load(await copy.note(), b"[]", b"[]"))

    [record] = await listed(copy)
    assert record["attempts"] == 6
    assert record["beginning"] == "[]"
    assert record["bytes"] == 2
    assert record["last_at"] >= record["first_at"]


async def test_the_list_goes_on_where_it_ended(copy):
    """Newest first, in steps, each record once."""
    for number in range(5):
        await copy.commit(copy.load(await copy.note(), b"%d" % number))

    first = await rejected.listing(copy.db, limit=3)
    rest = await rejected.listing(copy.db, limit=3, before=first[-1]["id"])

    assert [record["beginning"] for record in first + rest] == ["4", "3", "2", "1", "0"]


async def test_one_is_found_by_the_beginning_of_its_id(copy):
    """An id that begins so must be one alone."""
    await copy.commit(copy.load(0, b"1", b"2"))
    one, two = await listed(copy)

    assert [str(found.id) for found in await rejected.waiting(copy.db, one["id"][:13])] == [one["id"]]
    assert len(await rejected.waiting(copy.db)) == 2
    for beginning in ("", "zz", two["id"] + "0"):
        with pytest.raises(UnknownId):
            await rejected.waiting(copy.db, beginning)


@pytest.fixture
async def customers(db, connection):
    """A copy of the Stripe customers of one connection."""
    table = tables_of("stripe")["customers"]
    await checkpoints.states(db, connection.id, ["customers"])
    async with db.connection() as conn:
        await tables.ensure(conn, [table])
    copy = Copy(db, connection.id, table)
    await copy.take_over()
    yield copy
    await copy.stack.aclose()


async def set_aside(copy, body):
    async with copy.db.transaction() as conn:
        await rejected.set_aside(conn, copy.connection_id, copy.table, [rejected.Rejected(body, "an old reason")])


async def test_retrying_stores_what_can_be_stored_by_now(customers):
    """A record that fits is stored under a new change_seq and is no longer listed; the others stay."""
    await customers.commit(customers.load(0, thing("other")))
    await set_aside(customers, thing("cus_1", name="Ada"))
    await set_aside(customers, SPOILT)

    assert await retry_rejected(customers.db) == {"stored": 1, "rejected": 1}

    rows = await customers.rows()
    assert list(rows) == ["other", "cus_1"]
    assert rows["cus_1"]["change_seq"] <= await customers.note()
    assert (await customers.state())["rows"] == 2
    assert [body for body, _ in await customers.rejected()] == [SPOILT]


async def test_retrying_undoes_nothing_that_was_written_since(customers):
    """A row that has come to be since stays as it is, dead or alive; the record is read again by id."""
    await customers.commit(customers.load(0, thing("new", name="new"), thing("dead")))
    await customers.commit(customers.load(await customers.note(), deleted=["dead", "never"]))
    before = await customers.rows()
    for key in ("new", "dead", "never"):
        await set_aside(customers, thing(key, name="old"))

    await retry_rejected(customers.db)

    assert await customers.rows() == before
    assert sorted(await customers.rereads()) == ["dead", "never", "new"]
    assert await customers.rejected() == []


async def test_what_is_stored_by_a_retry_is_read_again(customers):
    """Nobody knows how old the record is: the provider may have deleted it since, unnoticed here."""
    await set_aside(customers, thing("cus_1", name="Ada"))

    await retry_rejected(customers.db)

    assert await customers.rereads() == ["cus_1"]
