"""Pages of Google Calendar shift under a reader, lead in a circle, or the reader dies between two of them."""

import pytest

from tests.fixtures.sizes import size
from tests.fixtures.syncing import held

SEEDS = range(1, 1 + size(1, 2))
POINTS = (1, 3, 5)


@pytest.fixture
def filled(google):
    """Three pages of events in one calendar and two in another."""
    team = google.create_calendar("Team")["id"]
    google.load(events=600, seed=1)
    google.load(events=300, seed=2, calendar=team)


async def test_changes_between_pages(calendar_sync, calendar_copies, google, filled):
    """However events come, change and go while they are read, in the end the rows are the account's."""
    for seed in SEEDS:
        print(f"\nSEED={seed}")
        google.fault("shift", "events.list", times=None, seed=seed, changes=4, service="calendar")
        await calendar_sync(full=True)
        google.shake(seed, 40, service="calendar")
        await calendar_sync()
        google.lift()
        await calendar_sync()
        calendar_copies.hold()


async def test_a_sync_token_expires_while_everything_changes(calendar_sync, calendar_copies, google, filled):
    """The calendar is read whole with changes between its pages; nothing of them is lost or comes back."""
    await calendar_sync()
    google.shake(7, 40, service="calendar")
    google.expire_sync_tokens(google.email)
    google.fault("shift", "events.list", times=None, seed=7, changes=4, service="calendar")

    await calendar_sync()
    google.lift()
    await calendar_sync()

    calendar_copies.hold()


@pytest.mark.parametrize("kind", ["loop", "empty_more"])
async def test_a_circle_is_noticed(kind, calendar_sync, calendar_copies, google, filled):
    """The read stops after three repeats with a sentence and retires nothing."""
    await calendar_sync()
    before = calendar_copies.rows()
    google.fault(kind, "events.list", times=None)
    google.forget_ledger()

    failed = await calendar_sync("failed", full=True)

    assert failed["error_code"] == "endless_list"
    asked = [row["path"] + row["query"] for row in google.requests("events.list")]
    assert max(asked.count(one) for one in asked) <= 4
    assert calendar_copies.rows() == before
    google.lift()
    await calendar_sync()
    calendar_copies.hold()


@pytest.mark.parametrize("full", [True, False], ids=["full", "incremental"])
async def test_killed_while_an_answer_is_awaited(full, calendar_sync, calendar_copies, google, filled):
    """At three points one after the other, with changes between; the next whole sync has everything, each once."""
    if not full:
        await calendar_sync()
    kills = 0
    for seed, point in enumerate(POINTS):
        google.shake(seed, 300 if seed == 0 else 20, service="calendar")
        google.fault("hold", after=point if full else min(point, 2), times=1, seconds=30)
        under_way = await calendar_sync.start(full=full and seed == 0)
        await held(google, under_way)
        under_way.kill()
        kills += await under_way.result() is None
        google.lift()
    assert kills > 1  # a run that has little left to read may end before the point

    await calendar_sync()
    await calendar_sync()

    calendar_copies.hold()
