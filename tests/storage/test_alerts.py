import asyncio
import uuid

import pytest

from storage.alerts import clear, clear_all_but, open_alerts, raise_once


async def test_an_alert_is_raised_once(db, connection):
    """However often and from however many sides it is raised, one row is open, with the first sentence."""
    raised = await asyncio.gather(
        *(raise_once(db, "push_expiring", "stripe", connection.id, "Look at it.") for _ in range(8))
    )
    again = await raise_once(db, "push_expiring", "stripe", connection.id, "Look at it now.")

    assert sorted([*raised, again]) == [False] * 8 + [True]
    [alert] = await open_alerts(db)
    assert alert | {"id": "", "raised_at": ""} == {
        "id": "",
        "kind": "push_expiring",
        "service": "stripe",
        "connection_id": str(connection.id),
        "sentence": "Look at it.",
        "raised_at": "",
    }


async def test_a_cleared_alert_can_be_raised_anew(db, connection):
    """Clearing closes it, once; the same fault later is an alert of its own."""
    await raise_once(db, "push_expiring", "stripe", connection.id, "Look at it.")

    assert await clear(db, "push_expiring", connection.id)
    assert not await clear(db, "push_expiring", connection.id)
    assert await open_alerts(db) == []
    assert await raise_once(db, "push_expiring", "stripe", connection.id, "Look at it again.")
    assert [alert["sentence"] for alert in await open_alerts(db)] == ["Look at it again."]


async def test_clearing_leaves_the_others(db, connect):
    """Another kind, and another connection, stay open; the newest is told first."""
    first, second = await connect(account="acct_1"), await connect(account="acct_2")
    await raise_once(db, "push_expiring", "stripe", first.id, "first")
    await raise_once(db, "push_expiring", "stripe", second.id, "second")
    await raise_once(db, "other", "stripe", first.id, "other")

    assert await clear_all_but(db, "push_expiring", [second.id]) == 1
    assert [alert["sentence"] for alert in await open_alerts(db)] == ["other", "second"]
    assert await clear_all_but(db, "push_expiring", []) == 1
    assert [alert["sentence"] for alert in await open_alerts(db)] == ["other"]


@pytest.mark.parametrize("connection_id", [None, uuid.uuid4()], ids=["a whole service", "purged meanwhile"])
async def test_alerts_without_a_connection(db, connection_id):
    """A service has an alert of its own, once; for a connection that is gone nothing is raised and nothing fails."""
    raised = [await raise_once(db, "errors", "stripe", connection_id, "Look at it.") for _ in range(2)]

    assert raised == [connection_id is None, False]
