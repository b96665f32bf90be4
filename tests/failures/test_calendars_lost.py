"""Calendars are unshared, taken off the list, closed or deleted: losing access is never absence."""

import pytest


def day(number):
    return {"start": {"date": f"2026-01-{number:02}"}, "end": {"date": f"2026-01-{number + 1:02}"}}


@pytest.fixture
async def shared(calendar_sync, google, another_google):
    """Somebody else's calendar that the account reads, synced with the account's own; its id."""
    team = another_google.create_calendar("Team")["id"]
    another_google.share(team, google)
    for number in range(1, 6):
        google.create_event(f"Event {number}", **day(number))
        another_google.create_event(f"Event {number}", team, **day(number))
    await calendar_sync()
    return team


def keep(copies, before, calendar):
    alive = copies.alive()
    there = {key: raw for key, raw in before.items() if key[0] == calendar}
    assert there
    assert {key: alive.get(key) for key in there} == there


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
async def test_a_calendar_is_unshared(full, shared, calendar_sync, calendar_copies, google, another_google):
    """Its rows stay as they were, its user is told, the account's own calendar goes on."""
    before = calendar_copies.alive()
    another_google.unshare(shared, google)
    google.create_event("New", **day(9))

    await calendar_sync(full=full)
    await calendar_sync()

    keep(calendar_copies, before, shared)
    assert "Team" in calendar_copies.unreadable()[shared]
    assert calendar_copies.rows("calendars")[shared]["deleted_at"] is None
    calendar_copies.hold(but=(shared,))


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
async def test_a_calendar_is_closed_but_on_the_list(
    full, shared, calendar_sync, calendar_copies, google, another_google
):
    """A 403 on one calendar fails nothing and moves no token: when it opens again nothing was missed."""
    before = calendar_copies.alive()
    google.forbid(shared)
    missed = another_google.create_event("Meanwhile", shared, **day(8))["id"]
    google.create_event("New", **day(9))

    await calendar_sync(full=full)
    keep(calendar_copies, before, shared)
    assert "Team" in calendar_copies.unreadable()[shared]
    calendar_copies.hold(but=(shared,))
    google.forbid(shared, allow=True)
    await calendar_sync()

    assert calendar_copies.rows()[shared, missed]["deleted_at"] is None
    assert calendar_copies.unreadable() == {}
    calendar_copies.hold()


async def test_a_calendar_that_is_shared_again(shared, calendar_sync, calendar_copies, google, another_google):
    """It is read whole: what happened while it was away is there, and what went is not."""
    gone, *_ = sorted(key for where, key in google.truth("events") if where == shared)
    another_google.unshare(shared, google)
    await calendar_sync()
    another_google.cancel_event(gone, shared)
    another_google.create_event("Meanwhile", shared, **day(8))
    another_google.share(shared, google)

    await calendar_sync()

    assert calendar_copies.rows()[shared, gone]["deleted_at"] is not None
    assert calendar_copies.unreadable() == {}
    calendar_copies.hold()


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
async def test_a_calendar_of_ones_own_is_deleted(full, shared, calendar_sync, calendar_copies, google, another_google):
    """The calendar is a tombstone and so are its events; nobody needs to be told."""
    mine = google.create_calendar("Mine")["id"]
    event = google.create_event("Gone soon", mine, **day(3))["id"]
    await calendar_sync()
    google.delete_calendar(mine)

    await calendar_sync(full=full)

    assert calendar_copies.rows("calendars")[mine]["deleted_at"] is not None
    assert calendar_copies.rows()[mine, event]["deleted_at"] is not None
    assert calendar_copies.unreadable() == {}
    calendar_copies.hold()


async def test_the_permission_was_not_given(calendar_sync, calendar_copies, google, shared, rows):
    """Without the scope both streams say so; their rows stay."""
    before = calendar_copies.rows()
    rows("UPDATE syncline.connection SET scopes = '{https://www.googleapis.com/auth/calendar.events}'")
    google.forget_ledger()

    await calendar_sync()

    states = rows("SELECT stream, available, unavailable_reason FROM syncline.sync_state")
    assert {state["stream"]: state["available"] for state in states} == {"calendars": False, "events": False}
    assert all("Google Calendar" in state["unavailable_reason"] for state in states)
    assert calendar_copies.rows() == before
    assert google.requests() == []
