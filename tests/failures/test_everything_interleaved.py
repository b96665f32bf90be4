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
from tests.fixtures.site import ADMIN_TOKEN, running
from tests.fixtures.sizes import size

SECRET = "whsec_of_this_endpoint"
STREAMS = ["customers", "products", "invoices"]
SEQUENCES, STEPS = int(os.environ.get("SEQUENCES", "1")), int(os.environ.get("STEPS", size(10, 24)))
pytestmark = pytest.mark.timeout(240 * SEQUENCES)


class World:
    """Six connections of three users, and an eye on the rows of each."""

    def __init__(self, syncs, eyes, providers):
        self.syncs, self.eyes, self.providers = syncs, eyes, providers

    def snapshot(self, but=()):
        """Every row of every connection that is not concerned, down to the transaction that wrote it."""
        return {name: eye() for name, eye in self.eyes.items() if name not in but}


@pytest.fixture
def prefect_url(prefect_api):
    """Actions draw on limits, so Prefect is there."""
    return prefect_api.url


@pytest.fixture
async def world(
    web_environment,
    stripe,
    sync,
    another_account,
    slack_sync,
    slack_id,
    copies,
    calendar_sync,
    calendar_copies,
    mail_sync,
    mail_copies,
    slack,
    google,
    invariants,
    db,
):
    """User 1 has an account with every provider; users 2 and 3 have one with Stripe each."""
    await connections.upsert(
        db,
        connector="stripe",
        user_id="user-1",
        account=stripe.account,
        name="Rocket Rides",
        mode=stripe.mode,
        scopes=[],
        credentials={"api_key": stripe.key, "webhook_secret": SECRET},
    )
    second, third = await another_account(), await another_account()
    slack.load(2, 8)
    google.load(messages=8, events=8)
    syncs = {
        "stripe 1": replace(sync, alone=False),
        "stripe 2": second.sync,
        "stripe 3": third.sync,
        "slack": replace(slack_sync, alone=False),
        "calendar": replace(calendar_sync, alone=False),
        "mail": replace(mail_sync, alone=False),
    }
    stripes = {"stripe 1": stripe, "stripe 2": second.provider, "stripe 3": third.provider}
    for provider in stripes.values():
        for stream in STREAMS:
            provider.load(stream, 6)
    eyes = {name: lambda s=syncs[name]: invariants.snapshot(s.connection_id) for name in stripes}
    eyes |= {
        "slack": lambda: {stream: copies.stored(slack_id, stream) for stream in ("channels", "users", "messages")},
        "calendar": lambda: {stream: calendar_copies.rows(stream) for stream in ("calendars", "events")},
        "mail": lambda: {stream: mail_copies.rows(stream) for stream in ("messages", "labels")},
    }
    shakes = {name: lambda seed, p=p: p.shake(STREAMS, seed=seed, times=4) for name, p in stripes.items()}
    shakes |= {
        "slack": lambda seed: slack.shake(seed, times=4, only=["post", "edit", "delete"]),
        "calendar": lambda seed: google.create_event(f"Event {seed}"),
        "mail": lambda seed: google.deliver(f"Mail {seed}"),
    }
    async with running() as site:
        stripe.webhooks(f"{site.url}/webhooks/stripe/{sync.connection_id}", secret=SECRET)
        world = World(syncs, eyes, shakes)
        world.site, world.stripe, world.stripes, world.db = site, stripe, stripes, db
        world.holds = {
            **{
                name: lambda n=name: invariants.hold(stripes[n], syncs[n].connection_id, streams=STREAMS)
                for name in stripes
            },
            "slack": lambda: copies.hold(slack_id),
            "calendar": calendar_copies.hold,
            "mail": mail_copies.hold,
        }
        yield world


class Steps:
    """One thing that happens; each says which connections it may concern."""

    def __init__(self, world, chance):
        self.world, self.chance = world, chance
        self.keys, self.posted = [], 0

    async def change(self, name):
        self.world.providers[name](self.chance.randrange(10**6))

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
