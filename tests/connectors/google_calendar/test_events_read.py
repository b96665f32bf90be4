"""A calendar is read to its end with the same questions always, and only the end brings its sync token."""

import json

import pytest

from connectors.errors import Broken, Refused, Unavailable
from connectors.google_calendar.events import Events
from tests.connectors.conftest import collect, http
from tests.connectors.google_calendar.conftest import HOME, TEAM, event, gone, refused

EVENTS = Events()


async def read(calendar, cursor=None):
    (start,) = await EVENTS.starts(calendar) if cursor is None else [cursor]
    return await collect(EVENTS.pages(calendar, start))


def ids(records):
    return [json.loads(record)["id"] for record in records]


async def test_each_calendar_is_a_part_of_the_full_read(google, calendar):
    """One start for every calendar on the list, shared ones too."""
    google.share(TEAM, role="reader")

    starts = await EVENTS.starts(calendar)

    assert [start["calendar"] for start in starts] == [HOME, TEAM]


async def test_the_token_comes_with_the_last_page(google, calendar, provider):
    """Pages before it teach nothing; the last says that the calendar is covered."""
    google.pages[HOME, None] = [[event("1"), gone("2")], [], [event("3")]]

    pages = await read(calendar)

    assert [ids(page.records) for page in pages] == [["1"], [], ["3"]]
    assert ids(pages[0].cancelled) == ["2"]
    assert [page.learned for page in pages[:2]] == [None, None]
    assert pages[2].learned == {HOME: {"token": f"{HOME} 1", "title": "me", "owner": True}}
    assert (pages[2].covered, pages[2].cursor) == ([HOME], None)


async def test_every_request_has_the_same_parameters(google, calendar, provider):
    """A sync token holds only for what the list was asked with."""
    google.pages[HOME, None] = [[event("1")], [event("2")]]

    await read(calendar)

    asked = [asked.query for asked in provider.asked if asked.path.endswith("/events")]
    constant = {"singleEvents": "false", "showDeleted": "true", "maxResults": "250", "alt": "json"}
    assert asked == [constant, constant | {"pageToken": "page-1"}]


async def test_a_read_goes_on_where_it_stood(google, calendar, provider):
    """A stored cursor leads to the page after it."""
    google.pages[HOME, None] = [[event("1")], [event("2")]]
    (start,) = await EVENTS.starts(calendar)
    first = await anext(EVENTS.pages(calendar, start))

    rest = await read(calendar, json.loads(json.dumps(first.cursor)))

    assert [ids(page.records) for page in rest] == [["2"]]


@pytest.mark.parametrize("refusal", [refused(400, "invalid", "pageToken"), refused(410, "fullSyncRequired")])
async def test_a_page_token_that_is_gone_starts_the_calendar_again(refusal, google, calendar):
    """How long Google keeps a place in a list is not documented."""
    google.pages[HOME, None] = [[event("1")], [event("2")]]
    google.refusals[HOME, None, 1] = [refusal]

    pages = await read(calendar)

    assert [ids(page.records) for page in pages] == [["1"], ["1"], ["2"]]
    assert pages[-1].covered == [HOME]


async def test_a_calendar_that_never_ends_is_left(google, calendar):
    """Starting again and again is given up."""
    google.pages[HOME, None] = [[event("1")], [event("2")]]
    google.refusals[HOME, None, 1] = refused(400, "invalid", "pageToken")

    with pytest.raises(Broken):
        await read(calendar)


@pytest.mark.parametrize("refusal", [refused(403, "forbidden"), refused(404, "notFound")])
@pytest.mark.parametrize("number", [0, 1])
async def test_a_calendar_that_is_closed_is_said_to_be(number, refusal, google, calendar):
    """It counts as unreadable, at whichever page it was closed, and as covered never."""
    google.pages[HOME, None] = [[event("1")], [event("2")]]
    google.refusals[HOME, None, number] = refusal

    last = (await read(calendar))[-1]

    assert (last.covered, last.learned, last.cursor) == ((), None, None)
    assert "me" in last.unreadable[HOME]


async def test_an_end_that_proves_nothing_is_a_fault(google, calendar, provider):
    """Neither events nor a token: the answer is not the end of a list."""
    google.refusals[HOME, None, 0] = http({"kind": "calendar#events", "etag": '"1"'})

    with pytest.raises(Unavailable):
        await read(calendar)


async def test_one_event_by_its_id(google, calendar):
    """It knows its calendar."""
    google.events[TEAM, "1"] = event("1", summary="Lunch")

    record = await EVENTS.read(calendar, (TEAM, "1"))

    assert json.loads(record) == event("1", summary="Lunch", calendar_id=TEAM)


@pytest.mark.parametrize("answer", [gone("1"), refused(404, "notFound"), refused(410, "deleted")])
async def test_an_event_that_is_gone(answer, google, calendar):
    """Cancelled, not found and deleted are the same to us."""
    google.events[HOME, "1"] = answer

    assert await EVENTS.read(calendar, (HOME, "1")) is None


@pytest.mark.parametrize("refusal", [refused(403, "forbidden"), refused(404, "notFound")])
async def test_losing_a_calendar_is_not_losing_its_events(refusal, google, calendar):
    """Google says of a calendar that is closed that its events are not there; that is no word about the events."""
    google.refusals[TEAM, None, 0] = refusal

    with pytest.raises(Refused):
        await EVENTS.read(calendar, (TEAM, "1"))


async def test_a_bare_404_is_no_absence(google, calendar):
    """Some proxy's page proves nothing."""
    google.events[HOME, "1"] = http(b"<html>not found</html>", 404)

    with pytest.raises(Unavailable):
        await EVENTS.read(calendar, (HOME, "1"))
