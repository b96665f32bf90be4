"""Events are sorted by what they say of themselves, and passed on as they came."""

import json

import pytest

from connectors.google_calendar.records import of_calendar, sort_out

HOME = "me@example.com"


def sparse(event_id, **more):
    return json.dumps({"kind": "calendar#event", "id": event_id, "status": "cancelled", **more}).encode()


def test_an_event_is_told_which_calendar_it_is_in():
    """The id stands behind what Google sent, and wins over a member of that name."""
    odd = b'{"calendar_id": "theirs", "id":"1", "n": 12345678901234567890.5 }'

    (record,) = sort_out('a"b\\c', [odd]).alive

    assert record.startswith(odd[:-1].rstrip())
    assert json.loads(record)["calendar_id"] == 'a"b\\c'
    assert of_calendar(HOME, b"{ }") == b'{"calendar_id": "me@example.com"}'


@pytest.mark.parametrize(
    "odd", [b"5", b"null", b"[]", b'"x"', b'{"id": "1", "x": NaN}', b'{"x":' * 9 + b"1" + b"}" * 9]
)
def test_what_is_no_event_is_passed_on(odd):
    """It is stored or set aside further on; its page is not lost."""
    found = sort_out(HOME, [odd, b'{"id": "1"}'])

    assert len(found.alive) == 2
    assert (HOME, "1") in found.keys


def test_cancelled_events_are_told_apart():
    """They are not among the keys that are there."""
    found = sort_out(HOME, [b'{"id": "1", "status": "confirmed"}', sparse("2")])

    assert [json.loads(record)["id"] for record in found.cancelled] == ["2"]
    assert found.keys == {(HOME, "1")}


@pytest.mark.parametrize(
    ("event_id", "told"),
    [
        ("abc_20260105T100000Z", {"recurring_event_id": "abc", "original_start": "2026-01-05T10:00:00+00:00"}),
        ("abc_20260105", {"recurring_event_id": "abc", "original_start_date": "2026-01-05"}),
        (
            "abc_R20260101T090000_20260108T090000Z",
            {"recurring_event_id": "abc_R20260101T090000", "original_start": "2026-01-08T09:00:00+00:00"},
        ),
        ("abc_R20260101T090000", {}),
        ("abc", {}),
        ("_60q30c1g60o30e1i60o4ac1g60rj8gpl88rj2c1h84s34h9g", {}),
        ("abc_20261305", {}),
        ("abc_20260230T100000Z", {}),
    ],
)
def test_a_sparse_cancellation_tells_its_series_by_its_id(event_id, told):
    """Google may send no more of a cancelled instance than its id."""
    (record,) = sort_out(HOME, [sparse(event_id)]).cancelled

    seen = json.loads(record)
    assert {
        name: seen[name] for name in seen.keys() & {"recurring_event_id", "original_start", "original_start_date"}
    } == told
    assert seen["calendar_id"] == HOME


def test_what_google_says_of_a_series_is_not_replaced():
    """Only what is missing is read from the id."""
    start = {"dateTime": "2026-01-06T10:00:00+01:00"}
    (record,) = sort_out(HOME, [sparse("abc_20260105", recurringEventId="x", originalStartTime=start)]).cancelled

    assert "recurring_event_id" not in json.loads(record)
