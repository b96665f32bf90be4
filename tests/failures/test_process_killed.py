"""A sync's process dies by SIGKILL at an exact point, and the next one goes on."""

from dataclasses import dataclass, field

import pytest

from storage.loader import QUEUE_LOADS
from tests.fixtures.proxy import COMMIT_MOMENTS, HTTP_MOMENTS, Point

STREAMS = ["customers", "invoices"]
PAGES = r"^/v1/(customers|invoices)\?"
BY_ID = r"^/v1/(customers|invoices)/"
SEED = 20261125


@dataclass
class Killer:
    """Kills syncs at points, and counts."""

    sync: object
    points: object
    proxy: object
    kills: int = 0
    asked: list[str] = field(default_factory=list)

    async def at(self, moment, path, nth, **options):
        """A sync has died there; fails when it ended before it came there."""
        before = len(self.proxy.answered)
        under_way = await self.sync.start(streams=STREAMS, **options)
        point = Point(moment, under_way.kill, path, nth)
        self.points.set(point)
        result = await under_way.result()
        assert result is None, f"never came to {moment} {nth}: {result}"
        assert point.happened
        self.points.set()
        self.kills += 1
        self.asked += self.proxy.answered[before:]


@pytest.fixture
def killer(sync, points, http_proxy, postgres_proxy):
    return Killer(sync, points, http_proxy)


async def held(sync, stripe, invariants):
    """After one clean incremental sync everything holds, and reading all of it again changes no row."""
    await sync(streams=STREAMS)
    invariants.hold(stripe, sync.connection_id, streams=STREAMS)
    before = invariants.snapshot(sync.connection_id)
    await sync(streams=STREAMS, full=True)
    assert invariants.snapshot(sync.connection_id) == before


def eight(path, first=2, second=4):
    """Eight points: each moment of a request, each side of two COMMITs."""
    requests = [(moment, path, first) for moment in HTTP_MOMENTS]
    commits = [(moment, path, nth) for nth in (1, second) for moment in COMMIT_MOMENTS]
    return requests + commits


def tell(mode, killer, *, again=0, pages=0):
    print(f"\nKILLS={killer.kills} mode={mode} SEED={SEED} pages_read={pages} pages_read_again={again}")


async def test_full_read_from_its_beginning_and_continued(killer, sync, stripe, connect_to, invariants):
    """Killed in its first run and again in the one that goes on, a full read ends equal to the provider."""
    stripe.load("customers", 1500, seed=SEED)
    stripe.load("invoices", 300, seed=SEED)
    again = pages = 0
    ended = {}
    later = [(moment, PAGES, 1 if moment in HTTP_MOMENTS else nth) for moment, _, nth in eight(PAGES, second=2)]
    for place, (first, second) in enumerate(zip(eight(PAGES), later, strict=True)):
        sync.connection_id = await connect_to(stripe, f"user {place}")
        killer.asked = []
        await killer.at(*first, full=True)
        invariants.no_checkpoint_ahead(stripe, sync.connection_id, STREAMS)
        await killer.at(*second)
        invariants.no_checkpoint_ahead(stripe, sync.connection_id, STREAMS)

        before = len(killer.proxy.answered)
        await sync(streams=STREAMS)

        asked = [target for target in killer.asked + killer.proxy.answered[before:] if "limit=100" in target]
        again += len(asked) - len(set(asked))
        pages += len(asked)
        invariants.hold(stripe, sync.connection_id, streams=STREAMS)
        ended[sync.connection_id] = invariants.snapshot(sync.connection_id)
    assert ended == {connection_id: invariants.snapshot(connection_id) for connection_id in ended}
    await held(sync, stripe, invariants)
    tell("full+continued", killer, again=again, pages=pages)
    assert killer.kills == 16
    assert again <= killer.kills * QUEUE_LOADS  # what was read and not yet committed


@pytest.mark.parametrize("only", [["create", "update"], ["create", "update", "delete"]], ids=["changes", "deletions"])
async def test_incremental(killer, sync, stripe, invariants, only):
    """Killed again and again while it applies the feed, an incremental sync ends equal to the provider."""
    stripe.load("customers", 150, seed=SEED)
    stripe.load("invoices", 60, seed=SEED)
    await sync(streams=STREAMS)
    for place, point in enumerate(eight("^/v1/events", first=1, second=2)):
        stripe.shake(STREAMS, seed=SEED + place, times=8, only=only)
        moment, path, nth = point
        await killer.at(moment, path if nth == 1 and place != 3 else BY_ID, nth)
        invariants.no_checkpoint_ahead(stripe, sync.connection_id, STREAMS)

    await held(sync, stripe, invariants)

    tell("incremental " + "+".join(only), killer)
    assert killer.kills == 8


async def test_retiring(killer, sync, stripe, invariants):
    """Killed while it asks for what a full read has not met, it retires that and nothing else in the end."""
    stripe.load("customers", 150, seed=SEED)
    await sync(streams=STREAMS)
    gone = sorted(stripe.truth("customers"))[:24]
    for key in gone[:12]:
        stripe.delete("customers", key, event=False)
    stripe.create("customers")
    # Until something is committed a run finds the same to ask for; afterwards it takes a new full read and new absence.
    for place, point in enumerate(eight(BY_ID, first=3, second=2)):
        if place > 5:
            await sync(streams=STREAMS)
            for key in gone[place * 6 - 24 : place * 6 - 18]:
                stripe.delete("customers", key, event=False)
        await killer.at(*point, full=place in {0, 6, 7})
        invariants.no_checkpoint_ahead(stripe, sync.connection_id, STREAMS)

    await held(sync, stripe, invariants)

    tell("retiring", killer)
    assert killer.kills == 8
    retired = {k for k, row in invariants.stored(sync.connection_id, "customers").items() if row["deleted_at"]}
    assert retired == set(gone)
