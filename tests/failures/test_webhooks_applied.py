"""What providers push lands in the rows: late, twice, in any order, and while other syncs go on."""

import asyncio
import json

import pytest

from storage import inbox_lists
from storage.database import open_database
from tests.fixtures.deliveries import SECRET
from tests.fixtures.site import running
from tests.fixtures.sizes import size
from tests.fixtures.syncing import until

EVENTS = (
    "SELECT provider_event_id, event_type, status, attempts, error FROM syncline.webhook_event ORDER BY received_at"
)


@pytest.fixture
async def pushed(web_environment, stripe, sync, connect_to):
    """Stripe's deliveries for the connection are taken by a web application; Prefect is away."""
    await connect_to(stripe, webhook_secret=SECRET)
    async with running() as site:
        stripe.webhooks(f"{site.url}/webhooks/stripe/{sync.connection_id}", secret=SECRET)
        yield site


async def delivered(provider):
    """Everything that was sent has been answered with 200."""
    await until(lambda: all(one["statuses"][-1:] == [200] for one in provider.deliveries()), "every acknowledgement")


async def test_created_changed_and_deleted(sync, stripe, invariants, pushed, rows):
    """Events of all eight streams, each named many times: one read an object, and the rows are the provider's."""
    untold = ["subscriptions", "charges", "payment_intents", "refunds"]  # Stripe never says that such a one is gone
    told = ["customers", "products", "prices", "invoices"]
    for stream in told + untold:
        stripe.load(stream, 5)
    await sync(full=True)
    stripe.shake(told, seed=1, times=40)
    stripe.shake([*untold[:2], "refunds"], seed=2, times=20, only=["create", "update"])
    stripe.shake(untold, seed=3, times=5, only=["create"])
    await delivered(stripe)
    before = len(stripe.requests())

    result = await sync(linger=0)

    invariants.hold(stripe, sync.connection_id)
    assert result["taken"] == len(stripe.deliveries())
    assert {row["status"] for row in rows(EVENTS)} == {"applied"}
    assert len(stripe.requests()) - before <= result["taken"]
    [run] = rows("SELECT mode, trigger, outcome FROM syncline.sync_run WHERE mode = 'webhook'")
    assert run == {"mode": "webhook", "trigger": "webhook", "outcome": "done"}


async def test_delivered_again_weeks_later(sync, stripe, invariants, pushed, rows):
    """Replayed one by one and all together, a hundred times and much later: no row is touched."""
    stripe.load("customers", 3)
    await sync(full=True)
    made = stripe.create("customers", name="Ada")
    stripe.update("customers", made["id"], name="Zoë")
    stripe.delete("customers", made["id"])
    await delivered(stripe)
    await sync(linger=0)
    invariants.hold(stripe, sync.connection_id)
    before = invariants.snapshot(sync.connection_id)
    rows("UPDATE syncline.webhook_event SET received_at = received_at - interval '29 days'")
    for one in stripe.deliveries():
        stripe.redeliver(one["event_id"], times=30)
    await delivered(stripe)

    async with open_database() as db:
        assert await inbox_lists.replay_all(db) == 3
    await sync(linger=0)

    assert invariants.snapshot(sync.connection_id) == before
    assert [row["status"] for row in rows(EVENTS)] == ["applied"] * 3


async def test_purged_in_a_burst(sync, stripe, pushed, rows):
    """Purged while a full sync, a drain and deliveries are under way: no row or event of the connection is there
    afterwards, however they end, and whoever delivers to it is told that it is gone.
    """
    sync.alone = False
    stripe.load("customers", 300)
    await sync(full=True)
    stripe.shake(["customers"], seed=4, times=100)
    draining = await sync.start(linger=1)
    await until(lambda: "applied" in {row["status"] for row in rows(EVENTS)}, "the first event applied")
    reading = await sync.start(full=True)

    purged = await pushed.api.delete(f"/connections/{sync.connection_id}", params={"purge": "true"})
    assert purged.status_code == 200, purged.text
    left = [rows(f"SELECT count(*) AS n FROM {table}") for table in ("stripe.customers", "syncline.webhook_event")]
    await reading.result()
    await draining.result()
    await until(lambda: all(one["statuses"] for one in stripe.deliveries()), "every answer")

    assert left == [[{"n": 0}], [{"n": 0}]]
    late = stripe.create("customers", name="Late")
    await until(lambda: stripe.deliveries()[-1]["statuses"][:1] == [404], "the last answer")
    assert (await pushed.api.get(f"/connections/{sync.connection_id}")).status_code == 404
    held = rows(
        "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.columns"
        " WHERE column_name = 'connection_id' AND table_schema IN ('stripe', 'syncline')"
    )
    counts = {table["name"]: rows(f"SELECT count(*) AS n FROM {table['name']}")[0]["n"] for table in held}
    assert len(counts) > 10
    assert {name for name, n in counts.items() if n} <= {"syncline.api_request"}, late["id"]


@pytest.mark.parametrize("seed", range(size(2, 6)))
async def test_any_order_beside_other_syncs(sync, stripe, invariants, pushed, seed):
    """Late, doubled and shuffled, while full and incremental syncs run: after one more incremental all is equal."""
    sync.alone = False
    streams = ["customers", "products", "invoices"]
    for stream in streams:
        stripe.load(stream, 40, seed=seed)
    await sync(full=True)
    for turn in range(3):
        stripe.hold()
        stripe.shake(streams, seed=seed * 100 + turn, times=15)
        other = await sync.start(full=turn == 1)
        stripe.shake(streams, seed=seed * 100 + turn + 30, times=10)
        stripe.release(order=seed, repeat=0.4)
        draining = await sync.start(linger=0.5)
        stripe.shake(streams, seed=seed * 100 + turn + 60, times=5)
        assert (await other.result())["outcome"] in {"done", "skipped"}
        assert (await draining.result())["outcome"] == "done"
        await delivered(stripe)
    await sync(linger=0)
    await sync()

    invariants.hold(stripe, sync.connection_id)


async def test_killed_while_draining(sync, stripe, invariants, pushed, rows, capsys):
    """kill -9 at many points of a drain of hundreds of events: none is lost or stuck, and the next run finishes."""
    stripe.load("customers", 20)
    await sync(full=True)
    stripe.shake(["customers"], seed=4, times=150)
    await delivered(stripe)
    kills = 0
    for after in (0.05, 0.1, 0.2, 0.35, 0.5, 0.8):
        draining = await sync.start(linger=0)
        await asyncio.sleep(after)  # a moment by chance is the point
        draining.kill()
        kills += await draining.result() is None
        rows("UPDATE syncline.webhook_event SET due_at = now() WHERE status = 'pending'")  # a minute later

    await sync(linger=0)

    with capsys.disabled():
        print(f"\n{kills} kills while draining {len(rows(EVENTS))} events, none lost")
    invariants.hold(stripe, sync.connection_id)
    assert {row["status"] for row in rows(EVENTS)} == {"applied"}


async def test_what_fails_is_tried_again_and_then_told(sync, stripe, invariants, pushed, rows):
    """An object that cannot be read fails its own events alone, later and later, and in the end visibly for good."""
    sync.patience |= {"budget": 0.2}
    good, bad = stripe.create("customers", name="good"), stripe.create("customers", name="bad")
    await sync(full=True)
    for one in (good, bad):
        stripe.update("customers", one["id"], name="new")
    await delivered(stripe)
    stripe.fault("html_200", f"/v1/customers/{bad['id']}", times=None)

    for _ in range(8):
        await sync(linger=0)
        rows("UPDATE syncline.webhook_event SET due_at = now() WHERE status = 'pending'")

    told = {row["status"]: row for row in rows("SELECT * FROM syncline.webhook_event ORDER BY attempts")}
    assert set(told) == {"applied", "failed"}
    assert told["failed"]["attempts"] == 8
    assert "Stripe" in told["failed"]["error"]
    stripe.lift()
    async with open_database() as db:
        assert await inbox_lists.replay_all(db, failed=True) == 2  # it was created, and changed
    await sync(linger=0)
    invariants.hold(stripe, sync.connection_id)


async def test_an_incremental_run_drains_too(sync, stripe, invariants, pushed, rows):
    """What no webhook run has taken, the connection's own next run applies."""
    stripe.load("customers", 3)
    await sync(full=True)
    stripe.create("customers", name="Ada")
    await delivered(stripe)
    await sync()
    invariants.hold(stripe, sync.connection_id)
    assert {row["status"] for row in rows(EVENTS)} == {"applied"}


async def test_one_run_at_a_time(sync, stripe, pushed, rows):
    """While one run lingers another one ends at once, and what arrives is applied by the one that is there."""
    stripe.load("customers", 1)
    await sync(full=True)
    sync.alone = False
    lingering = await sync.start(linger=6)
    await until(lambda: rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"), "the lock")
    assert (await sync("skipped", linger=0))["taken"] is None
    made = stripe.create("customers", name="Ada")
    await until(
        lambda: rows("SELECT 1 FROM stripe.customers WHERE id = %s", [made["id"]]), "the row of what was pushed", 5
    )
    assert (await lingering.result())["taken"] == 1


async def test_events_that_mean_nothing(sync, stripe, pushed, rows):
    """Kinds of event that are about none of the streams are applied without a request."""
    await sync(full=True)
    stripe.event("topup.created", "customers", "cus_none")
    rows("SELECT 1")
    await delivered(stripe)
    rows(
        "UPDATE syncline.webhook_event SET body = %s",
        [
            json.dumps(
                {
                    "id": "evt_1",
                    "created": 1,
                    "type": "topup.created",
                    "data": {"object": {"object": "topup", "id": "tu_1"}},
                }
            ).encode()
        ],
    )
    before = len(stripe.requests())
    await sync(linger=0)
    assert len(stripe.requests()) == before
    assert [row["status"] for row in rows(EVENTS)] == ["applied"]
