"""Calendars and events in Postgres are what the account has: series, exceptions, whole days, cancellations."""

from datetime import UTC, date, datetime

import pytest


def at(day, hour, zone="Europe/Berlin"):
    return {"dateTime": f"2026-01-{day:02}T{hour:02}:00:00", "timeZone": zone}


@pytest.fixture
def filled(google):
    """A single event, a whole day, a series with an exception and a cancelled instance; and their ids."""
    single = google.create_event(summary="Lunch", start=at(5, 12), end=at(5, 13))["id"]
    whole = google.create_event(summary="Off", start={"date": "2026-01-06"}, end={"date": "2026-01-08"})["id"]
    rule = ["RRULE:FREQ=DAILY;COUNT=5"]
    series = google.create_event(summary="Daily", start=at(5, 9), end=at(5, 10), recurrence=rule)["id"]
    moved, dropped = f"{series}_20260106T080000Z", f"{series}_20260107T080000Z"
    google.update_event(moved, start=at(6, 11), end=at(6, 12))
    google.cancel_event(dropped)
    return {"single": single, "whole": whole, "series": series, "moved": moved, "dropped": dropped}


async def test_everything_is_there(calendar_sync, calendar_copies, google, filled):
    """Typed columns tell when an event is, also for whole days, other zones and exceptions."""
    result = await calendar_sync()

    assert result["streams"]["events"]["rejected"] == 0
    calendar_copies.hold()
    rows = {name: calendar_copies.rows()[google.email, key] for name, key in filled.items()}
    assert rows["single"]["start_at"] == datetime(2026, 1, 5, 11, tzinfo=UTC)
    assert (rows["single"]["time_zone"], rows["single"]["start_date"]) == ("Europe/Berlin", None)
    assert (rows["whole"]["start_date"], rows["whole"]["end_date"]) == (date(2026, 1, 6), date(2026, 1, 8))
    assert rows["whole"]["start_at"] is None
    assert rows["series"]["recurrence"] == ["RRULE:FREQ=DAILY;COUNT=5"]
    assert rows["moved"]["recurring_event_id"] == filled["series"]
    assert rows["moved"]["original_start"] == datetime(2026, 1, 6, 8, tzinfo=UTC)
    assert rows["moved"]["start_at"] == datetime(2026, 1, 6, 10, tzinfo=UTC)
    assert rows["dropped"]["deleted_at"] is not None
    assert rows["dropped"]["recurring_event_id"] == filled["series"]
    assert rows["dropped"]["original_start"] == datetime(2026, 1, 7, 8, tzinfo=UTC)
    [home] = calendar_copies.rows("calendars").values()
    assert (home["id"], home["access_role"], home["is_primary"]) == (google.email, "owner", True)


async def test_changes_come_by_sync_token(calendar_sync, calendar_copies, google, filled):
    """One request for the list and one for the calendar; only what changed is read."""
    await calendar_sync()
    google.update_event(filled["single"], summary="Late lunch")
    google.create_event(summary="New", start=at(9, 9), end=at(9, 10))
    google.cancel_event(filled["whole"])
    google.forget_ledger()

    result = await calendar_sync()

    counts = result["streams"]["events"]
    assert (counts["read"], counts["written"], counts["deleted"]) == (2, 2, 1)
    assert len(google.requests()) == 2
    calendar_copies.hold()


async def test_nothing_new_changes_nothing(calendar_sync, calendar_copies, google, filled):
    """An idle run, and a full read of the same, leave every row as it was, to the transaction that wrote it."""
    await calendar_sync()
    before = calendar_copies.rows()

    await calendar_sync()
    await calendar_sync(full=True)

    assert calendar_copies.rows() == before


@pytest.mark.parametrize("sparse", [True, False])
async def test_a_cancelled_event_keeps_what_it_was(sparse, calendar_sync, calendar_copies, google, filled):
    """However little Google tells of it: the row is a tombstone with its content."""
    await calendar_sync()
    before = calendar_copies.rows()[google.email, filled["single"]]
    google.cancel_event(filled["single"], sparse=sparse)

    await calendar_sync()

    after = calendar_copies.rows()[google.email, filled["single"]]
    assert after["deleted_at"] is not None
    assert (after["summary"], after["start_at"], after["raw"]) == ("Lunch", before["start_at"], before["raw"])
    calendar_copies.hold()


async def test_a_cancelled_instance_that_says_nothing_else(calendar_sync, calendar_copies, google, filled):
    """Its series and its time are in its id."""
    await calendar_sync()
    instance = f"{filled['series']}_20260108T080000Z"
    google.cancel_event(instance, sparse=True)

    await calendar_sync()

    row = calendar_copies.rows()[google.email, instance]
    assert row["deleted_at"] is not None
    assert row["recurring_event_id"] == filled["series"]
    assert row["original_start"] == datetime(2026, 1, 8, 8, tzinfo=UTC)


@pytest.mark.parametrize("sparse", [True, False])
async def test_a_series_goes_with_its_exceptions(sparse, calendar_sync, calendar_copies, google, filled):
    """Google tells of the series alone."""
    await calendar_sync()
    google.cancel_event(filled["series"], sparse=sparse)

    await calendar_sync()

    assert calendar_copies.rows()[google.email, filled["moved"]]["deleted_at"] is not None
    calendar_copies.hold()


async def test_an_event_that_comes_back(calendar_sync, calendar_copies, google, filled):
    """Its row is a tombstone no more."""
    await calendar_sync()
    google.cancel_event(filled["single"])
    await calendar_sync()
    google.update_event(filled["single"], status="confirmed")

    await calendar_sync()

    assert calendar_copies.rows()[google.email, filled["single"]]["deleted_at"] is None
    calendar_copies.hold()


async def test_a_calendar_that_is_new(calendar_sync, calendar_copies, google, filled):
    """It is read whole by the next incremental run, and by its token from then on."""
    await calendar_sync()
    team = google.create_calendar("Team")["id"]
    google.create_event(calendar=team, summary="Stand-up", start=at(5, 9), end=at(5, 10))

    await calendar_sync()
    calendar_copies.hold()
    google.create_event(calendar=team, summary="Retro", start=at(6, 9), end=at(6, 10))
    result = await calendar_sync()

    assert result["streams"]["events"]["read"] == 1
    calendar_copies.hold()


async def test_a_calendar_that_tells_no_deletions(calendar_sync, calendar_copies, google):
    """Holidays are read whole each time, so that what is gone is noticed all the same."""
    holidays = google.create_calendar("Holidays", id=f"{google.name}#holiday@group.v.calendar.google.com")["id"]
    gone = google.create_event(
        calendar=holidays, summary="Old", start={"date": "2026-01-06"}, end={"date": "2026-01-07"}
    )["id"]
    google.create_event(calendar=holidays, summary="Kept", start={"date": "2026-05-01"}, end={"date": "2026-05-02"})
    await calendar_sync()
    google.cancel_event(gone, holidays)

    await calendar_sync()

    assert calendar_copies.rows()[holidays, gone]["deleted_at"] is not None
    calendar_copies.hold()
