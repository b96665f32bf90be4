"""What takes place in a calendar, asked for at once."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from connectors.errors import Broken, Declined, Refused
from connectors.google_calendar.occurrences import Occurrences, Wanted
from tests.connectors.conftest import http
from tests.connectors.google_calendar.conftest import HOME, event, refused

BEGIN, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


def wanted(calendar_id=HOME, time_min=BEGIN, time_max=END):
    return Wanted(calendar_id=calendar_id, time_min=time_min, time_max=time_max)


async def test_series_are_expanded_in_order_of_start(google, calendar, provider):
    """Google is asked for single occurrences in order of start, page by page, within the time in UTC."""
    google.pages[(HOME, None)] = [[event("a_1"), event("a_2")], [event("b")]]
    begin = datetime.fromisoformat("2026-11-01T02:00:00+02:00")

    found = await Occurrences().read(calendar, wanted(time_min=begin))

    assert [b'"calendar_id": "me@example.com"' in record for record in found] == [True] * 3
    asked = [asked.query for asked in provider.asked]
    assert [query.get("pageToken") for query in asked] == [None, "page-1"]
    for query in asked:
        assert (query["singleEvents"], query["orderBy"]) == ("true", "startTime")
        assert (query["timeMin"], query["timeMax"]) == ("2026-11-01T00:00:00+00:00", "2026-12-01T00:00:00+00:00")
        assert "syncToken" not in query


async def test_an_empty_time(google, calendar):
    """A time in which nothing takes place has no occurrences."""
    assert await Occurrences().read(calendar, wanted()) == []


@pytest.mark.parametrize(("status", "reason", "error"), [(404, "notFound", Declined), (403, "forbidden", Refused)])
async def test_a_calendar_that_is_none(status, reason, error, google, calendar):
    """A calendar that is not there or closed is told as a refusal, with a sentence and without Google's text."""
    google.refusals[(HOME, None, 0)] = refused(status, reason)

    with pytest.raises(error) as caught:
        await Occurrences().read(calendar, wanted())

    assert "raw text" not in str(caught.value)


async def test_a_list_without_end(google, calendar, provider):
    """The same page again and again is left after a few requests."""
    body = {"kind": "calendar#events", "etag": '"1"', "items": [event("a")], "nextPageToken": "again"}
    provider.answer = lambda asked: http(body)

    with pytest.raises(Broken, match="no end"):
        await Occurrences().read(calendar, wanted())

    assert len(provider.asked) <= 5


async def test_too_many(google, calendar):
    """A time in which more takes place than anybody looks at is refused with advice."""
    google.pages[(HOME, None)] = [[event(f"{page}_{n}") for n in range(2_501)] for page in range(3)]

    with pytest.raises(Declined, match="shorter"):
        await Occurrences().read(calendar, wanted())


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (END, BEGIN),
        (BEGIN, BEGIN),
        (BEGIN, BEGIN + timedelta(days=367)),
        (datetime(2026, 11, 1), END),  # noqa: DTZ001 - without a zone
        ("yesterday", END),
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59-13:00"),
        ("0001-01-01T00:00:00+12:00", "0001-01-02T00:00:00+12:00"),
    ],
)
def test_times_that_are_none(begin, end):
    """A time that is backwards, too long, without a zone or beyond all calendars is refused before anything is sent."""
    with pytest.raises(ValidationError):
        wanted(time_min=begin, time_max=end)
