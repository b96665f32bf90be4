"""Sync tokens and page tokens of Google Calendar end before they were used."""

import pytest


def day(number):
    return {"start": {"date": f"2026-01-{number:02}"}, "end": {"date": f"2026-01-{number + 1:02}"}}


@pytest.fixture
def two_calendars(google):
    """The account's own and another, each with events; and the other's id."""
    team = google.create_calendar("Team")["id"]
    for calendar in (google.email, team):
        for number in range(1, 21):
            google.create_event(calendar=calendar, summary=f"Event {number}", **day(number))
    return team


def events_of(google, calendar):
    return sorted(key for where, key in google.truth("events") if where == calendar)


async def test_one_sync_token_has_expired(calendar_sync, calendar_copies, google, two_calendars):
    """That calendar alone is read whole, what happened in the gap is kept, what went is retired."""
    await calendar_sync()
    first, second, *_ = events_of(google, google.email)
    google.update_event(first, summary="Changed in the gap")
    google.cancel_event(second)
    google.create_event(summary="Made in the gap", **day(25))
    google.create_event(calendar=two_calendars, summary="By token", **day(25))
    google.expire_sync_tokens(google.email)

    result = await calendar_sync()

    assert result["streams"]["events"]["read"] == 20 + 1
    assert calendar_copies.rows()[google.email, second]["deleted_at"] is not None
    calendar_copies.hold()
    assert (await calendar_sync())["streams"]["events"]["read"] == 0


async def test_what_went_without_a_trace(calendar_sync, calendar_copies, google, two_calendars):
    """An event that no list tells of any more is asked for by its id before it is retired."""
    await calendar_sync()
    gone = events_of(google, google.email)[0]
    google.forget_event(gone)
    google.expire_sync_tokens(google.email)

    await calendar_sync()

    assert calendar_copies.rows()[google.email, gone]["deleted_at"] is not None
    calendar_copies.hold()


@pytest.mark.parametrize("full", [True, False], ids=["full", "incremental"])
async def test_a_page_token_ends_before_it_is_used(full, calendar_sync, calendar_copies, google):
    """The calendar is begun again, from its sync token where there is one, and nothing is missing."""
    if not full:
        await calendar_sync()
    google.load(events=600)
    invalid = {"status": 400, "reason": "invalid", "message": "Invalid page token value."}
    google.fault("error", "events.list", query="pageToken=", **invalid)

    await calendar_sync(full=full)

    calendar_copies.hold()
    asked = [row["query"] for row in google.requests("events.list") if "pageToken" not in row["query"]]
    assert len(asked) == (2 if full else 3)
