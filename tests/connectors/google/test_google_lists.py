"""A list of Google is read whole or not at all, however empty it is."""

import json

import pytest

from connectors.answers import UnparsableError
from connectors.errors import Broken
from connectors.google_lists import GoogleList, Walk, google_list

KIND = "calendar#events"


def body(**members):
    return json.dumps({"kind": KIND, "etag": '"1"', **members}).encode()


def test_records_are_cut_out_as_they_were_sent():
    """Spaces, long numbers and repeated names inside a record stay as they came."""
    sent = b'{"id": "1",  "n": 1.000000000000000000001, "n": 2}'

    got = google_list(
        b'{"kind":"calendar#events","etag":"","items":[' + sent + b', 5],"nextSyncToken":"s"}', "items", KIND
    )

    assert got.records == [sent, b"5"]
    assert got.next_page is None
    assert got.beside["nextSyncToken"] == "s"


def test_a_list_without_records_is_a_page():
    """Google leaves the member out where there is nothing to put in it."""
    got = google_list(body(nextPageToken="p"), "items", KIND)

    assert (got.records, got.next_page, got.given) == ([], "p", False)
    assert google_list(b'{"resultSizeEstimate": 0}', "messages").records == []


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"kind": "calendar#events", "etag": "1", "items": [{"id": "1"}',
        b'{"kind": "calendar#events", "items": []}',
        b'{"kind": "calendar#calendarList", "etag": "1", "items": []}',
        b'{"kind": "calendar#events", "etag": "1"}',
        b'{"kind": "calendar#events", "etag": "1", "items": {}}',
        b'{"kind": "calendar#events", "etag": "1", "items": null}',
        b'{"kind": "calendar#events", "etag": "1", "items": [], "nextPageToken": 5}',
        b'{"kind": "calendar#events", "etag": "1", "items": [], "nextPageToken": ""}',
        b'{"kind": "calendar#events", "etag": "1", "items": []} trailing',
        b"<html></html>",
    ],
)
def test_what_is_no_list_is_a_fault(sent):
    """Never an empty page and never the end of a list."""
    with pytest.raises(UnparsableError):
        google_list(sent, "items", KIND)


def test_records_that_a_parser_refuses_cost_only_themselves():
    """A page with one record too deep, and one with NaN, is still a page."""
    deep = b'{"id":"1","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    got = google_list(
        b'{"kind":"calendar#events","etag":"1","items":[' + deep + b',{"id":"2","x":NaN}],"nextPageToken":"p"}',
        "items",
        KIND,
    )

    assert got.records == [deep, b'{"id":"2","x":NaN}']
    assert got.next_page == "p"


def listed(*records, following):
    return GoogleList([b"{}"] * len(records), following)


def test_a_circle_is_noticed():
    """A page that leads back is asked for twice more, then the read stops."""
    way = Walk("Gmail")

    assert not way.leads_nowhere(None, listed(1, following="a"))
    assert not way.leads_nowhere("a", listed(1, following="b"))
    assert way.leads_nowhere("b", listed(1, following="a"))
    assert way.leads_nowhere("b", listed(1, following="b"))
    with pytest.raises(Broken, match="no end"):
        way.leads_nowhere("b", listed(1, following="a"))


def test_pages_without_records_are_not_the_end():
    """A few are followed, an endless row of them is not."""
    way = Walk("Gmail")

    for number in range(50):
        assert not way.leads_nowhere(str(number - 1), listed(following=str(number)))
    with pytest.raises(Broken, match="no end"):
        way.leads_nowhere("49", listed(following="50"))
