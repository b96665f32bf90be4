"""Claims of actions: one sender at a time, taken over from the dead, settled by people, kept for ever."""

import asyncio
import hashlib
from uuid import uuid4

import pytest

from storage import action_lists, actions, retention
from storage.actions import Asked
from storage.errors import Conflict, Fenced, KeyReused, UnderWay, UnknownId
from storage.senders import Sender


def asked_for(connection_id, key="k", body="b"):
    digests = [hashlib.sha256(text.encode()).digest() for text in (key, body)]
    return Asked(connection_id, "shop.sell", *digests)


@pytest.fixture
async def sender(db):
    async with Sender(db) as opened:
        yield opened


@pytest.fixture
def asked(copy):
    """Something to be asked for."""
    return asked_for(copy.connection_id)


async def test_one_claims_and_the_others_wait(db, sender, asked):
    """Of many claims at once one is granted; to all others it is under way."""
    said = await asyncio.gather(*(actions.claim(db, sender, asked) for _ in range(20)), return_exceptions=True)

    granted = [one for one in said if not isinstance(one, BaseException)]
    assert len(granted) == 1
    assert {type(one) for one in said if one not in granted} == {UnderWay}
    assert (granted[0].status, granted[0].attempts) == ("sending", 1)


async def test_what_a_dead_sender_left_is_taken_over_at_once(db, sender, asked):
    """As soon as a sender's session is gone its action is another's, with what it remembered; it can add no more."""
    async with Sender(db) as doomed:
        first = await actions.claim(db, doomed, asked)
        await actions.remember(db, first, {"draft": "d"})
        with pytest.raises(UnderWay):
            await actions.claim(db, sender, asked)

    second = await actions.claim(db, sender, asked)

    assert (second.attempts, second.memo) == (2, {"draft": "d"})
    with pytest.raises(Fenced):
        await actions.remember(db, first, {"draft": "e"})
    await actions.fail(db, first, "declined", "No.")
    await actions.withdraw(db, first)
    assert (await actions.find(db, asked)).status == "sending"


async def test_a_sender_that_hangs_has_two_minutes(db, sender, asked, rows):
    """A sender that lives but does nothing is taken over from after two minutes."""
    async with Sender(db) as hanging:
        await actions.claim(db, hanging, asked)
        rows("UPDATE syncline.action SET sent_at = now() - interval '119 s'")
        with pytest.raises(UnderWay):
            await actions.claim(db, sender, asked)
        rows("UPDATE syncline.action SET sent_at = now() - interval '121 s'")

        assert (await actions.claim(db, sender, asked)).attempts == 2


async def test_a_lost_session_is_a_new_sender(db, sender, asked, rows):
    """When Postgres ends the session, what was under way is free, and the process claims anew."""
    await actions.claim(db, sender, asked)
    rows("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()")

    again = await actions.claim(db, sender, asked)

    assert again.attempts == 2


async def test_a_success_counts_whoever_has_taken_over(db, sender, asked):
    """What certainly happened is kept, also when its sender was taken for dead meanwhile."""
    async with Sender(db) as slow:
        first = await actions.claim(db, slow, asked)
    second = await actions.claim(db, sender, asked)
    await actions.doubt(db, second, "unproved", "Nobody knows.")

    await actions.succeed(db, first, {"id": "1"})

    assert (await actions.find(db, asked)).status == "succeeded"


async def test_let_go_is_free_at_once(db, sender, asked):
    """What an error left in the middle is not under way any more."""
    row = await actions.claim(db, sender, asked)
    await actions.let_go(db, row)

    assert (await actions.claim(db, sender, asked)).attempts == 2


async def test_another_body(db, sender, asked, copy):
    """The same key with another body is refused whatever became of the first."""
    await actions.claim(db, sender, asked)

    with pytest.raises(KeyReused):
        await actions.claim(db, sender, asked_for(copy.connection_id, body="c"))


async def test_neither_keys_nor_bodies_are_kept(db, sender, copy, rows):
    """A row holds hashes alone, and what derives from a key differs by connection and action."""
    await actions.claim(db, sender, asked_for(copy.connection_id, "canary-key", "canary-body"))

    assert "canary" not in str(rows("SELECT * FROM syncline.action"))
    others = {asked_for(uuid4()).derived for _ in range(10)}
    assert len(others) == 10


async def test_a_person_settles_what_is_unknown(db, sender, asked):
    """Only what is unknown can be settled, by a unique beginning of its id; then it stays so."""
    row = await actions.claim(db, sender, asked)
    with pytest.raises(Conflict):
        await action_lists.resolve(db, str(row.id), "failed")
    await actions.doubt(db, row, "unproved", "Nobody knows.")

    settled = await action_lists.resolve(db, str(row.id)[:8], "succeeded")

    assert settled == row.id
    assert (await actions.claim(db, sender, asked)).status == "succeeded"
    with pytest.raises(Conflict):
        await action_lists.resolve(db, str(row.id), "failed")
    with pytest.raises(UnknownId):
        await action_lists.resolve(db, "zz", "failed")


async def test_listed_newest_first(db, sender, copy):
    """A list in parts, newest first; what nobody is sending any more shows as unknown."""
    async with Sender(db) as doomed:
        made = [await actions.claim(db, doomed, asked_for(copy.connection_id, str(n))) for n in range(3)]
    kept = await actions.claim(db, sender, asked_for(copy.connection_id, "alive"))

    first = await action_lists.listing(db, limit=2)
    rest = await action_lists.listing(db, limit=9, before=made[2].id)

    assert [one["id"] for one in first + rest] == [str(one.id) for one in (kept, *reversed(made))]
    assert [one["status"] for one in first] == ["sending", "unknown"]
    assert len(await action_lists.listing(db, status="unknown")) == 3


async def test_swept(db, sender, copy):
    """What dead senders left is unknown after a sweep; what is under way is let alone."""
    async with Sender(db) as doomed:
        await actions.claim(db, doomed, asked_for(copy.connection_id, "dead"))
    await actions.claim(db, sender, asked_for(copy.connection_id, "alive"))

    assert await action_lists.sweep(db) == 1

    assert (await actions.find(db, asked_for(copy.connection_id, "dead"))).status == "unknown"
    assert (await actions.find(db, asked_for(copy.connection_id, "alive"))).status == "sending"


async def test_pruned_results_leave_the_fact(db, sender, copy, rows):
    """Past the retention a result is gone, the key is still taken, and what is unknown keeps all it has."""
    done, open_ = (asked_for(copy.connection_id, key) for key in ("done", "open"))
    await actions.succeed(db, await actions.claim(db, sender, done), {"id": "1"})
    doubted = await actions.claim(db, sender, open_)
    await actions.remember(db, doubted, {"draft": "d"})
    await actions.doubt(db, doubted, "unproved", "Nobody knows.")
    rows("UPDATE syncline.action SET ended_at = now() - interval '31 days', created_at = now() - interval '31 days'")

    assert (await retention.prune(db))["action"] == 1

    first, second = await actions.find(db, done), await actions.find(db, open_)
    assert (first.status, first.result) == ("succeeded", None)
    assert (second.status, second.memo) == ("unknown", {"draft": "d"})
    assert (await retention.prune(db))["action"] == 0
    with pytest.raises(KeyReused):
        await actions.claim(db, sender, asked_for(copy.connection_id, "done", "other"))
