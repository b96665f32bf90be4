"""What changed is asked of each calendar by its own sync token; what happens to one calendar is no matter of others."""

import json

import pytest

from connectors.errors import Unavailable
from connectors.google_calendar.changes import changes
from tests.connectors.conftest import collect, http
from tests.connectors.google_calendar.conftest import HOLIDAYS, HOME, TEAM, event, gone, refused


async def told(calendar, cursor, *streams):
    streams = streams or ("calendars", "events")
    cursors = {"calendars": {}, "events": json.loads(json.dumps(cursor))}
    return await collect(changes(calendar, {stream: cursors[stream] for stream in streams}))


def of_events(found):
    return [change for change in found if change.stream == "events"]


def ids(found):
    return [json.loads(record)["id"] for change in of_events(found) for record in change.page.records]


def last_cursor(found):
    return [change.page.cursor for change in of_events(found) if change.page.cursor is not None][-1]


def coverage(found):
    return [change.coverage for change in found if change.coverage][-1]


def known(token, title="team", *, owner=True, at=0):
    return {"token": token, "title": title, "owner": owner, "at": at}


async def test_the_list_of_calendars_is_read_whole(google, calendar):
    """Its own sync token would leave out what changes in the calendars themselves, and lost access."""
    google.share(TEAM, role="reader")

    found = await told(calendar, {}, "calendars")

    (change,) = found
    assert len(change.page.records) == 2
    assert change.window.keys == {(HOME,), (TEAM,)}
    assert change.window.scope is None


async def test_each_calendar_goes_on_from_its_own_token(google, calendar, provider):
    """With the parameters of the first list, and nothing that a sync token forbids."""
    google.share(TEAM)
    google.pages[HOME, "h"] = [[event("1")], [gone("2")]]

    found = await told(calendar, {HOME: known("h"), TEAM: known("t")})

    assert ids(found) == ["1"]
    assert [json.loads(r)["id"] for c in of_events(found) for r in c.page.cancelled] == ["2"]
    cursor = last_cursor(found)
    assert {name: piece["token"] for name, piece in cursor.items()} == {HOME: f"{HOME} 1", TEAM: f"{TEAM} 2"}
    constant = {"singleEvents": "false", "showDeleted": "true", "maxResults": "250", "alt": "json"}
    asked = [asked.query for asked in provider.asked if asked.path.endswith("/events")]
    assert asked == [
        constant | {"syncToken": "h"},
        constant | {"syncToken": "h", "pageToken": "page-1"},
        constant | {"syncToken": "t"},
    ]


async def test_the_cursor_moves_with_the_last_page(google, calendar):
    """A run that ends between two pages asks from the old token again."""
    google.pages[HOME, "h"] = [[event("1")], [event("2")]]

    found = of_events(await told(calendar, {HOME: known("h")}))

    assert [len(change.page.records) for change in found] == [1, 1, 0, 0]
    assert [change.page.cursor is None for change in found] == [True, True, False, False]


async def test_a_series_that_is_gone_takes_its_exceptions_along(google, calendar):
    """Google need not tell each of them: whatever bears the series' id is looked at before the cursor moves."""
    instance, single = gone("b_20260105T100000Z"), gone("c") | {"start": {"date": "2026-01-05"}}
    google.pages[HOME, "h"] = [[gone("a"), instance, single, gone("d") | {"recurrence": ["RRULE:FREQ=DAILY"]}]]

    found = of_events(await told(calendar, {HOME: known("h")}))

    windows = [(change.window.scope, change.window.low, change.window.high) for change in found if change.window]
    assert windows == [(HOME, "a_0", "a_:"), (HOME, "d_0", "d_:")]
    assert [change.page.cursor is None for change in found] == [True, True, True, False, False]
    between = [name for name in ("a_20260105", "a_R20260105T100000", "ab_20260105") if "a_0" <= name <= "a_:"]
    assert between == ["a_20260105"]


@pytest.mark.parametrize(
    "refusal",
    [refused(410, "fullSyncRequired"), refused(410, "updatedMinTooLongAgo"), refused(400, "invalid", "syncToken")],
)
async def test_a_token_that_is_gone_costs_its_own_calendar_a_full_read(refusal, google, calendar):
    """That calendar is read whole, and a window says so; the other goes on from its token."""
    google.share(TEAM)
    google.refusals[HOME, "old", 0] = refusal
    google.pages[HOME, None] = [[event("1")], [event("2"), gone("3")]]
    google.pages[TEAM, "t"] = [[event("9")]]

    found = await told(calendar, {HOME: known("old"), TEAM: known("t")})

    assert sorted(ids(found)) == ["1", "2", "9"]
    (window,) = [change.window for change in of_events(found) if change.window]
    assert window.scope == HOME
    assert window.keys == {(HOME, "1"), (HOME, "2")}
    assert last_cursor(found)[HOME]["token"].startswith(HOME)


async def test_a_token_that_goes_between_two_pages(google, calendar):
    """What the first page brought stays; the calendar is read whole all the same."""
    google.pages[HOME, "h"] = [[event("1")], [event("2")]]
    google.refusals[HOME, "h", 1] = refused(410, "fullSyncRequired")
    google.pages[HOME, None] = [[event("3")]]

    found = await told(calendar, {HOME: known("h")})

    assert ids(found) == ["1", "3"]
    assert [change.window.keys for change in of_events(found) if change.window] == [{(HOME, "3")}]


async def test_a_page_token_that_goes_asks_from_the_sync_token_again(google, calendar):
    """Only the place in the list is lost."""
    google.pages[HOME, "h"] = [[event("1")], [event("2")]]
    google.refusals[HOME, "h", 1] = [refused(400, "invalid", "pageToken")]

    found = await told(calendar, {HOME: known("h")})

    assert ids(found) == ["1", "1", "2"]
    assert [change.window for change in of_events(found)] == [None] * 5


async def test_what_was_met_before_a_restart_does_not_count(google, calendar):
    """It may have gone in between, and no sync token would tell."""
    google.pages[HOME, None] = [[event("1")], [event("2")]]

    def lose_the_place(query):
        google.pages[HOME, None] = [[event("3")], [event("2")]]
        return refused(400, "invalid", "pageToken")

    google.refusals[HOME, None, 1] = [lose_the_place]

    found = await told(calendar, {})

    assert ids(found) == ["1", "3", "2"]
    assert [change.window.keys for change in of_events(found) if change.window] == [{(HOME, "3"), (HOME, "2")}]


async def test_a_calendar_that_is_new_is_read_whole(google, calendar):
    """With a window, for it may have been here before."""
    google.share(TEAM)
    google.pages[TEAM, None] = [[event("1")]]

    found = await told(calendar, {HOME: known("h")})

    assert ids(found) == ["1"]
    assert [change.window.scope for change in of_events(found) if change.window] == [TEAM]
    assert set(last_cursor(found)) == {HOME, TEAM}


async def test_a_calendar_that_tells_no_deletions_is_read_whole_each_time(google, calendar):
    """Holidays and birthdays: no token is kept of them."""
    google.share(HOLIDAYS, role="reader")
    google.pages[HOLIDAYS, None] = [[event("1")]]

    first = await told(calendar, {HOME: known("h"), HOLIDAYS: known("x")})
    second = await told(calendar, last_cursor(first))

    for found in (first, second):
        assert ids(found) == ["1"]
        assert [change.window.scope for change in of_events(found) if change.window] == [HOLIDAYS]


@pytest.mark.parametrize("refusal", [refused(403, "forbidden"), refused(404, "notFound")])
async def test_a_closed_calendar_stops_no_other(refusal, google, calendar):
    """Its token stays where it was, nothing of it is retired, and the user is told."""
    google.share(TEAM)
    google.refusals[HOME, "h", 0] = refusal
    google.pages[TEAM, "t"] = [[event("1")]]

    found = await told(calendar, {HOME: known("h", "me"), TEAM: known("t")})

    assert ids(found) == ["1"]
    assert last_cursor(found)[HOME] == known("h", "me")
    assert set(coverage(found).unreadable) == {HOME}
    assert all(change.window is None for change in of_events(found))


async def test_a_calendar_of_ones_own_that_left_the_list(google, calendar):
    """It is gone, and so are its events: there is nothing to tell."""
    found = await told(calendar, {HOME: known("h"), TEAM: known("t", owner=True)})

    assert set(last_cursor(found)) == {HOME}
    assert coverage(found).unreadable == {}


async def test_a_calendar_that_is_no_longer_shared(google, calendar):
    """Its rows stay, the user is told at every run, and it is read whole should it come back."""
    first = await told(calendar, {HOME: known("h"), TEAM: known("t", "Team", owner=False)})
    second = await told(calendar, last_cursor(first))

    for found in (first, second):
        assert "Team" in coverage(found).unreadable[TEAM]
        assert all(change.window is None for change in of_events(found))
    google.share(TEAM, role="reader")
    back = await told(calendar, last_cursor(second))
    assert [change.window.scope for change in of_events(back) if change.window] == [TEAM]
    assert coverage(back).unreadable == {}


async def test_one_calendar_that_fails_stops_no_other(google, calendar):
    """The rest is brought first, then the failure is told."""
    google.share(TEAM)
    google.refusals[HOME, "h", 0] = http({}, 503)
    google.pages[TEAM, "t"] = [[event("1")]]
    found = []

    async def bring():
        async for change in changes(calendar, {"events": {HOME: known("h"), TEAM: known("t")}}):
            found.append(change)  # noqa: PERF401 - what came before the failure counts

    with pytest.raises(Unavailable):
        await bring()

    assert ids(found) == ["1"]
    assert last_cursor(found)[HOME]["token"] == "h"


async def test_the_stalest_calendar_comes_first(google, calendar, provider):
    """A run that time cuts short goes on where the last one did not come to."""
    google.share(TEAM)

    await told(calendar, {HOME: known("h", at=20), TEAM: known("t", at=10)}, "events")

    assert [asked.path.split("/")[4] for asked in provider.asked[1:]] == [TEAM, HOME]
