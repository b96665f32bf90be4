"""What takes place in a calendar, asked for over HTTP: series expanded, in order, nothing stored."""

import uuid

import pytest

from tests.fixtures.site import ADMIN_TOKEN, running

MARCH = {"time_min": "2026-03-01T00:00:00Z", "time_max": "2026-04-01T00:00:00Z"}


@pytest.fixture
async def site(database_url, monkeypatch, prefect_api):
    """The application while Prefect shares out limits."""
    monkeypatch.setenv("SYNCLINE_ADMIN_TOKEN", ADMIN_TOKEN)
    async with running() as opened:
        yield opened


@pytest.fixture
def ask(site, calendar_connection, google):
    """`await ask(calendar_id=…)`: the answer for a month, or for another time."""

    async def get(connection=None, **params):
        asked = {"calendar_id": google.email} | MARCH | params
        address = f"/connections/{connection or calendar_connection}/calendar-occurrences"
        return await site.api.get(address, params={name: value for name, value in asked.items() if value is not None})

    return get


async def test_series_are_expanded(ask, google, rows):
    """Each time that a series takes place is an occurrence, moved ones where they are now, cancelled ones not."""
    series = google.create_series("RRULE:FREQ=DAILY;COUNT=4")["id"]
    google.create_event("Between", start={"dateTime": "2026-03-03T12:00:00Z"}, end={"dateTime": "2026-03-03T13:00:00Z"})
    google.cancel_event(f"{series}_20260304T100000Z")
    google.update_event(
        f"{series}_20260305T100000Z",
        start={"dateTime": "2026-03-02T08:00:00Z"},
        end={"dateTime": "2026-03-02T09:00:00Z"},
    )

    answer = await ask()

    assert answer.status_code == 200
    starts = [item["start"]["dateTime"][:16] for item in answer.json()["items"]]
    assert starts == ["2026-03-02T08:00", "2026-03-02T10:00", "2026-03-03T10:00", "2026-03-03T12:00"]
    assert answer.json()["next"] is None
    assert {item["calendar_id"] for item in answer.json()["items"]} == {google.email}
    assert rows("SELECT count(*) AS n FROM google_calendar.events") == [{"n": 0}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_min": None},
        {"calendar_id": None},
        {"calendar_id": ""},
        {"time_min": "yesterday"},
        {"time_min": "2026-03-01T00:00:00"},
        {"time_max": "2026-01-01T00:00:00Z"},
        {"time_max": "2036-01-01T00:00:00Z"},
        {"time_min": "0000-00-00T00:00:00Z"},
        {"another": "x"},
    ],
)
async def test_what_makes_no_sense(wrong, ask, google):
    """A malformed question is a problem document that repeats nothing of it, and Google is not asked."""
    google.forget_ledger()

    answer = await ask(**wrong)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "yesterday" not in answer.text
    assert google.requests() == []


async def test_calendars_that_are_none(ask, google):
    """A calendar that Google does not know, or does not let be read, is 422 with a sentence."""
    for calendar_id in ("nobody@example.com", "..", "b?c#d%2f☃"):
        answer = await ask(calendar_id=calendar_id)
        assert (answer.status_code, answer.json()["code"]) == (422, "declined"), calendar_id
    google.forbid()
    assert (await ask()).status_code == 422


async def test_connections_that_are_none(ask, rows, calendar_connection):
    """An unknown connection is 404; one that lacks the permission, or is not active, is 409."""
    assert (await ask(uuid.uuid4())).status_code == 404
    rows("UPDATE syncline.connection SET scopes = '{}'")
    assert (await ask()).json()["code"] == "missing_scope"
    rows("UPDATE syncline.connection SET state = 'disconnected'")
    assert (await ask()).status_code == 409
