"""Three users, four connectors, and everything that can happen to them, in any order."""

import os
import random
from dataclasses import replace
from uuid import uuid4

import pytest

from storage import connections, inbox_lists
from storage.disconnect import disconnect
from storage.pausing import set_paused
from tests.failures.test_webhooks_applied import delivered
from tests.fixtures.deliveries import SECRET
from tests.fixtures.site import ADMIN_TOKEN, running
from tests.fixtures.sizes import size

STREAMS = ["customers", "products", "invoices"]
SEQUENCES, STEPS = int(os.environ.get("SEQUENCES", "1")), int(os.environ.get("STEPS", size(10, 24)))
pytestmark = pytest.mark.timeout(240 * SEQUENCES)


class World:
    """Six connections of three users: by name the way to sync each, an eye on its rows, what may happen at its provider
    and whether its copy is right.
    """

    def __init__(self, site, db, stripe):
        self.site, self.db, self.stripe = site, db, stripe
        self.stripes, self.syncs, self.eyes, self.shakes, self.holds = {}, {}, {}, {}, {}

    def add(self, name, sync, eye, shake, hold):
        self.syncs[name] = replace(sync, alone=False)
        self.eyes[name], self.shakes[name], self.holds[name] = eye, shake, hold

    def add_stripe(self, name, provider, sync, invariants):
        self.stripes[name] = provider
        for stream in STREAMS:
            provider.load(stream, 6)
        self.add(
            name,
            sync,
            lambda: invariants.snapshot(sync.connection_id),
            lambda seed: provider.shake(STREAMS, seed=seed, times=4),
            lambda: invariants.hold(provider, sync.connection_id, streams=STREAMS),
        )

    def snapshot(self, but=()):
        """Every row of every connection that is not concerned, down to the transaction that wrote it."""
        return {name: eye() for name, eye in self.eyes.items() if name not in but}


@pytest.fixture
def prefect_url(prefect_api):
    """Actions draw on limits, so Prefect is there."""
    return prefect_api.url


@pytest.fixture
async def stripes(web_environment, stripe, sync, connect_to, another_account, invariants, db):
    """A world of three users with an account at Stripe each; what Stripe pushes of the first one's is taken."""
    await connect_to(stripe, webhook_secret=SECRET)
    second, third = await another_account(), await another_account()
    async with running() as site:
        stripe.webhooks(f"{site.url}/webhooks/stripe/{sync.connection_id}", secret=SECRET)
        world = World(site, db, stripe)
        world.add_stripe("stripe 1", stripe, sync, invariants)
        world.add_stripe("stripe 2", second.provider, second.sync, invariants)
        world.add_stripe("stripe 3", third.provider, third.sync, invariants)
        yield world


@pytest.fixture
def slack_too(stripes, slack, slack_sync, slack_id, copies):
    slack.load(2, 8)
    stripes.add(
        "slack",
        slack_sync,
        lambda: {stream: copies.stored(slack_id, stream) for stream in ("channels", "users", "messages")},
        lambda seed: slack.shake(seed, times=4, only=["post", "edit", "delete"]),
        lambda: copies.hold(slack_id),
    )


@pytest.fixture
def google_too(stripes, google, calendar_sync, calendar_copies, mail_sync, mail_copies):
    google.load(messages=8, events=8)
    stripes.add(
        "calendar",
        calendar_sync,
        lambda: {stream: calendar_copies.rows(stream) for stream in ("calendars", "events")},
        lambda seed: google.create_event(f"Event {seed}"),
        calendar_copies.hold,
    )
    stripes.add(
        "mail",
        mail_sync,
        lambda: {stream: mail_copies.rows(stream) for stream in ("messages", "labels")},
        lambda seed: google.deliver(f"Mail {seed}"),
        mail_copies.hold,
    )


@pytest.fixture
def world(stripes, slack_too, google_too):
    """User 1 has an account with every provider; users 2 and 3 have one with Stripe each."""
    return stripes


class Steps:
    """One thing that happens; each says which connections it may concern."""

    def __init__(self, world, chance):
        self.world, self.chance = world, chance
        self.keys, self.posted = [], 0

    async def change(self, name):
        self.world.shakes[name](self.chance.randrange(10**6))

    async def sync(self, name):
        await self.world.syncs[name](full=self.chance.random() < 0.25, streams=STREAMS if "stripe" in name else None)

    async def deliver(self, name):
        """What Stripe pushes for user 1, late, doubled and in another order."""
        stripe = self.world.stripe
        stripe.hold()
        stripe.shake(STREAMS, seed=self.chance.randrange(10**6), times=5)
        stripe.release(order=self.chance.randrange(10**6), repeat=0.5)
        await delivered(stripe)
        await self.world.syncs[name](linger=0)

    async def replay(self, name):
        await inbox_lists.replay_all(self.world.db)
        await self.world.syncs[name](linger=0)

    async def pause_and_resume(self, name):
        id_ = self.world.syncs[name].connection_id
        await set_paused(self.world.db, id_, paused=True)
        await set_paused(self.world.db, id_, paused=False)

    async def disconnect_and_return(self, name):
        """The same account again: the same connection, with its rows."""
        provider, id_ = self.world.stripes[name], self.world.syncs[name].connection_id
        before = await connections.get(self.world.db, id_)
        await disconnect(self.world.db, id_)
        again, created = await connections.upsert(
            self.world.db,
            connector="stripe",
            user_id=before.user_id,
            account=before.external_account_id,
            name=before.account,
            mode=before.mode,
            scopes=[],
            credentials={"api_key": provider.key} | ({"webhook_secret": SECRET} if name == "stripe 1" else {}),
        )
        assert (again.id, created) == (id_, False)

    async def act(self, name):
        """A key that is new or was used before: the same answer, and one write for each key."""
        key = self.chance.choice(self.keys) if self.keys and self.chance.random() < 0.5 else uuid4().hex
        self.keys = sorted({*self.keys, key})
        stripe = self.world.stripe
        body = {"customer": self.customer, "price": self.price}
        answer = await self.world.site.api.post(
            f"/connections/{self.world.syncs[name].connection_id}/actions/stripe.create_subscription",
            json=body,
            headers={"Idempotency-Key": key, "Authorization": f"Bearer {ADMIN_TOKEN}"},
        )
        assert answer.status_code == 200, answer.text
        assert len(stripe.truth("subscriptions")) == len(self.keys)

    def one(self):
        """What happens next, and to whom."""
        names, mine = list(self.world.syncs), ["stripe 1"]
        return self.chance.choice(
            [
                *((self.change, [name]) for name in names),
                *((self.sync, [name]) for name in names),
                *((self.deliver, mine), (self.replay, mine), (self.act, mine)) * 2,
                (self.pause_and_resume, [self.chance.choice(names)]),
                (self.disconnect_and_return, [self.chance.choice(list(self.world.stripes))]),
            ]
        )


@pytest.mark.parametrize("number", range(SEQUENCES))
async def test_nobody_touches_anybody_else(world, number):
    """Changes, syncs, deliveries late and twice, replays, actions with repeated keys, pauses and returns: each step
    leaves every other connection's rows untouched, to the transaction, and in the end every copy is the provider's.
    """
    seed = int(os.environ.get("SEED", random.randrange(10**6))) + number
    print(f"SEED={seed}")
    steps = Steps(world, random.Random(seed))
    steps.customer = world.stripe.create("customers", name="Ada")["id"]
    product = world.stripe.create("products", name="Plan")["id"]
    steps.price = world.stripe.create("prices", product=product, unit_amount=1500, currency="eur")["id"]
    for syncer in world.syncs.values():
        await syncer(full=True)

    said = []
    for _ in range(STEPS):
        act, concerned = steps.one()
        before = world.snapshot(but=concerned)
        await act(concerned[0])
        said.append(f"{act.__name__} {concerned[0]}")
        assert world.snapshot(but=concerned) == before, f"{said[-1]} touched another connection; SEED={seed}"

    await delivered(world.stripe)
    await world.syncs["stripe 1"](linger=0)
    for syncer in world.syncs.values():
        await syncer(full=True)  # Slack tells an incremental read of what was deleted long ago by webhooks only
    for hold in world.holds.values():
        hold()
    print(f"{STEPS} steps over {len(world.syncs)} connections: {', '.join(sorted(set(said)))}")
