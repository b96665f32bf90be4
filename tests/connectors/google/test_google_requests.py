"""Requests are the ones that Google's own library would send."""

import time
from urllib.parse import parse_qs

import pytest

from connectors.google_requests import google_request

ORIGIN = "http://127.0.0.1:8443"


def calendar(method, **parameters):
    return google_request("calendar.v3", ORIGIN, method, **parameters)


def test_a_read_has_its_route_and_its_target():
    """What is recorded is the document's path; what is sent has the values, the configured host aside."""
    request = calendar("events.list", calendarId="team@group.calendar.google.com", syncToken="a b+/=", maxResults=250)

    path, _, query = request.target.decode().partition("?")
    assert (request.method, request.route) == ("GET", "/calendar/v3/calendars/{calendarId}/events")
    assert path == "/calendar/v3/calendars/team%40group.calendar.google.com/events"
    assert parse_qs(query) == {"syncToken": ["a b+/="], "maxResults": ["250"], "alt": ["json"]}
    assert request.body == b""
    assert request.headers == {}


@pytest.mark.parametrize("name", ["a/b", "a?b", "a#b", "..", ".", "a%2Fb", "ü", "a b"])
def test_a_value_stays_one_segment(name):
    """Whatever an id holds, it never becomes another path."""
    request = calendar("events.get", calendarId=name, eventId="..")

    assert request.target.partition(b"?")[0].count(b"/") == 6
    assert b"/../" not in request.target
    assert b"/./" not in request.target
    assert b"/..?" not in request.target
    assert request.route == "/calendar/v3/calendars/{calendarId}/events/{eventId}"


def test_what_is_none_is_left_out():
    """A page token that is not there yet is not sent."""
    assert b"pageToken" not in calendar("calendarList.list", pageToken=None).target


def test_a_write_has_its_body():
    """JSON, with the kind of its body beside it."""
    request = calendar("events.insert", body={"summary": "Früh"}, calendarId="primary")

    assert request.method == "POST"
    assert request.body == b'{"summary": "Fr\\u00fch"}'
    assert request.headers == {"content-type": "application/json"}


def test_mail_is_described_too():
    """The other document has its paths without a base of its own."""
    request = google_request("gmail.v1", ORIGIN, "users.messages.get", userId="me", id="18c", format="minimal")

    assert request.route == "/gmail/v1/users/{userId}/messages/{id}"
    assert request.target.startswith(b"/gmail/v1/users/me/messages/18c?")


def test_a_request_costs_little():
    """Twenty thousand messages are no more than a few seconds of building requests."""
    calendar("events.get", calendarId="a", eventId="b")
    began = time.process_time()
    for number in range(500):
        calendar("events.get", calendarId="a", eventId=str(number))

    assert time.process_time() - began < 0.5
