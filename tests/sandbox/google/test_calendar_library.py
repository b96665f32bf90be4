"""google-api-python-client speaks to the sandbox's Calendar API as it speaks to Google's."""

import pytest
from googleapiclient.errors import HttpError


def listed(calendar, **params):
    """All events of a list, and the sync token that its last page ends with."""
    events, request = [], calendar.events().list(calendarId="primary", **params)
    while request is not None:
        page = request.execute()
        assert ("nextSyncToken" in page) == ("nextPageToken" not in page)
        events += page["items"]
        request, last = calendar.events().list_next(request, page), page
    return events, last["nextSyncToken"]


def test_paging_meets_every_event_once(calendar, google):
    """And only the last page has a sync token."""
    google.load(events=23)

    events, _ = listed(calendar, maxResults=5)

    assert sorted(event["id"] for event in events) == sorted(key for _, key in google.truth("events"))


def test_sync_token_brings_what_changed(calendar, google):
    """New, changed and deleted events, and nothing that stayed."""
    kept, changed, gone = (google.create_event(name)["id"] for name in ("kept", "changed", "gone"))
    _, token = listed(calendar, showDeleted=True)
    calendar.events().patch(calendarId="primary", eventId=changed, body={"summary": "other"}).execute()
    calendar.events().delete(calendarId="primary", eventId=gone).execute()
    made = calendar.events().insert(calendarId="primary", body=timed("new")).execute()

    events, following = listed(calendar, syncToken=token)

    assert {event["id"]: event["status"] for event in events} == {
        changed: "confirmed",
        gone: "cancelled",
        made["id"]: "confirmed",
    }
    assert kept not in {event["id"] for event in events}
    assert listed(calendar, syncToken=following)[0] == []


def timed(summary, **more):
    edges = {"start": {"dateTime": "2026-03-02T10:00:00Z"}, "end": {"dateTime": "2026-03-02T11:00:00Z"}}
    return {"summary": summary, **edges, **more}


@pytest.mark.parametrize("forbidden", [{"timeMin": "2026-01-01T00:00:00Z"}, {"q": "x"}, {"orderBy": "updated"}])
def test_sync_token_is_refused_beside_what_it_does_not_go_with(calendar, google, forbidden):
    """400, whatever the token."""
    _, token = listed(calendar)

    with pytest.raises(HttpError) as refused:
        calendar.events().list(calendarId="primary", syncToken=token, **forbidden).execute()

    assert refused.value.status_code == 400


def test_sync_token_does_not_hold_for_other_parameters(calendar, google):
    """Another page size is another list."""
    _, token = listed(calendar, maxResults=250)

    with pytest.raises(HttpError) as refused:
        calendar.events().list(calendarId="primary", syncToken=token, maxResults=100).execute()

    assert refused.value.status_code == 410


def test_expired_sync_token_wants_a_full_sync(calendar, google):
    """410 with the reason that Google gives, for that calendar alone."""
    other = google.create_calendar("Other")["id"]
    _, token = listed(calendar)
    elsewhere = calendar.events().list(calendarId=other).execute()["nextSyncToken"]
    google.expire_sync_tokens("primary")

    with pytest.raises(HttpError) as refused:
        calendar.events().list(calendarId="primary", syncToken=token).execute()

    assert refused.value.status_code == 410
    assert refused.value.error_details[0]["reason"] == "fullSyncRequired"
    assert calendar.events().list(calendarId=other, syncToken=elsewhere).execute()["items"] == []


def test_an_id_is_taken_once(calendar, google):
    """The second insert with it is a conflict and changes nothing."""
    calendar.events().insert(calendarId="primary", body=timed("first", id="abcde12345")).execute()

    with pytest.raises(HttpError) as refused:
        calendar.events().insert(calendarId="primary", body=timed("second", id="abcde12345")).execute()

    assert (refused.value.status_code, refused.value.error_details[0]["reason"]) == (409, "duplicate")
    assert calendar.events().get(calendarId="primary", eventId="abcde12345").execute()["summary"] == "first"


def test_series_exceptions_and_cancelled_instances(calendar, google):
    """The list has the series and its exceptions; expanded, the instances in order, without the cancelled one."""
    series = google.create_series("RRULE:FREQ=DAILY;COUNT=5")["id"]
    google.update_event(f"{series}_20260303T100000Z", summary="moved", start={"dateTime": "2026-03-03T15:00:00Z"},
                        end={"dateTime": "2026-03-03T16:00:00Z"})  # fmt: skip
    google.cancel_event(f"{series}_20260304T100000Z")

    events, _ = listed(calendar)
    expanded = calendar.events().list(
        calendarId="primary", singleEvents=True, orderBy="startTime",
        timeMin="2026-03-02T11:00:00Z", timeMax="2026-03-06T10:00:00Z",
    ).execute()["items"]  # fmt: skip

    assert sorted((event["id"], event["status"]) for event in events) == [
        (series, "confirmed"),
        (f"{series}_20260303T100000Z", "confirmed"),
        (f"{series}_20260304T100000Z", "cancelled"),
    ]
    assert [event["start"]["dateTime"] for event in expanded] == ["2026-03-03T15:00:00Z", "2026-03-05T10:00:00Z"]
    assert {event["recurringEventId"] for event in expanded} == {series}
    assert expanded[0]["originalStartTime"]["dateTime"] == "2026-03-03T10:00:00Z"


def test_instances_keep_the_wall_clock_when_clocks_change(calendar, google):
    """Ten in Berlin is nine in UTC in winter and eight in summer."""
    edges = {"dateTime": "2026-03-28T10:00:00", "timeZone": "Europe/Berlin"}
    google.create_series("RRULE:FREQ=DAILY;COUNT=2", start=edges, end=edges | {"dateTime": "2026-03-28T11:00:00"})

    found = calendar.events().list(calendarId="primary", singleEvents=True, orderBy="startTime").execute()["items"]

    assert [event["id"].partition("_")[2] for event in found] == ["20260328T090000Z", "20260329T080000Z"]


def test_all_day_events_have_dates(calendar, google):
    """And the ids of their instances too."""
    series = google.create_series(
        "RRULE:FREQ=WEEKLY;UNTIL=20260315", start={"date": "2026-03-02"}, end={"date": "2026-03-03"}
    )["id"]

    found = calendar.events().instances(calendarId="primary", eventId=series).execute()["items"]

    assert [(event["id"], event["start"]) for event in found] == [
        (f"{series}_20260302", {"date": "2026-03-02"}),
        (f"{series}_20260309", {"date": "2026-03-09"}),
    ]


def test_sparse_cancellation_tells_only_the_id(calendar, google):
    """As Google may do with events that are deleted."""
    key = google.create_event()["id"]
    _, token = listed(calendar)
    google.cancel_event(key, sparse=True)

    ((event,), _) = listed(calendar, syncToken=token)

    assert set(event) == {"kind", "etag", "id", "status"}
    assert event["status"] == "cancelled"


def test_deleting_twice_is_gone(calendar, google):
    """410; and an event that never was is 404."""
    key = google.create_event()["id"]
    calendar.events().delete(calendarId="primary", eventId=key).execute()

    for event_id, status in ((key, 410), ("never-there", 404)):
        with pytest.raises(HttpError) as refused:
            calendar.events().delete(calendarId="primary", eventId=event_id).execute()
        assert refused.value.status_code == status


def test_calendars_on_the_list(calendar, google, another_google):
    """Own, shared with a role, hidden ones on request; one that is unshared is off the list and not found."""
    shared = another_google.create_calendar("Theirs")["id"]
    another_google.share(shared, google)
    mine = google.create_calendar("Mine")["id"]
    google.change_calendar(mine, mine={"hidden": True})

    def roles(**params):
        return {row["id"]: row["accessRole"] for row in calendar.calendarList().list(**params).execute()["items"]}

    assert roles() == {google.email: "owner", shared: "reader"}
    assert roles(showHidden=True) == {google.email: "owner", shared: "reader", mine: "owner"}
    another_google.unshare(shared, google)
    assert shared not in roles(showHidden=True)
    with pytest.raises(HttpError) as refused:
        calendar.events().list(calendarId=shared).execute()
    assert (refused.value.status_code, refused.value.error_details[0]["reason"]) == (404, "notFound")


def test_too_small_a_role_is_refused(calendar, google, another_google):
    """A reader cannot write, who sees free and busy cannot read; both are 403."""
    shared = another_google.create_calendar("Theirs")["id"]
    another_google.share(shared, google, "reader")
    with pytest.raises(HttpError) as writing:
        calendar.events().insert(calendarId=shared, body=timed("x")).execute()
    another_google.share(shared, google, "freeBusyReader")
    with pytest.raises(HttpError) as reading:
        calendar.events().list(calendarId=shared).execute()

    assert [caught.value.status_code for caught in (writing, reading)] == [403, 403]
    assert reading.value.error_details[0]["reason"] == "requiredAccessLevel"


def test_list_of_calendars_has_sync_tokens_too(calendar, google):
    """What came and what went."""
    token = calendar.calendarList().list().execute()["nextSyncToken"]
    mine = calendar.calendars().insert(body={"summary": "Mine", "timeZone": "Europe/Berlin"}).execute()["id"]
    came = calendar.calendarList().list(syncToken=token).execute()
    calendar.calendarList().delete(calendarId=mine).execute()
    went = calendar.calendarList().list(syncToken=came["nextSyncToken"]).execute()

    assert [row["id"] for row in came["items"]] == [mine]
    assert [(row["id"], row["deleted"]) for row in went["items"]] == [(mine, True)]


def test_guests_have_a_copy(calendar, google, another_google):
    """Under the same id, with the organiser's changes, until it is cancelled."""
    body = timed("party", attendees=[{"email": another_google.email}, {"email": "elsewhere@example.org"}])
    key = calendar.events().insert(calendarId="primary", body=body).execute()["id"]

    def copy():
        return another_google.truth("events")[another_google.email, key]

    assert copy()["organizer"] == {"email": google.email}
    assert copy()["attendees"][0] == {"email": another_google.email, "responseStatus": "needsAction", "self": True}
    calendar.events().patch(calendarId="primary", eventId=key, body={"summary": "gathering"}).execute()
    assert copy()["summary"] == "gathering"
    calendar.events().delete(calendarId="primary", eventId=key).execute()
    assert copy()["status"] == "cancelled"


def test_changes_during_a_sync_are_told_by_it_or_by_the_next(calendar, google):
    """Nothing falls between two pages or between two tokens."""
    keys = [google.create_event(f"event {number}")["id"] for number in range(6)]
    first = calendar.events().list(calendarId="primary", maxResults=2).execute()
    google.update_event(keys[0], summary="late")
    new = google.create_event("new")["id"]
    token, page = None, first
    while token is None:
        page = calendar.events().list(calendarId="primary", maxResults=2, pageToken=page["nextPageToken"]).execute()
        token = page.get("nextSyncToken")

    told, _ = listed(calendar, maxResults=2, syncToken=token)

    assert {event["id"]: event["summary"] for event in told} == {keys[0]: "late", new: "new"}


def test_times_are_shown_in_the_zone_that_is_asked_for(calendar, google):
    """Else in the calendar's own, with their offset."""
    google.create_event()

    def start(**params):
        return calendar.events().list(calendarId="primary", **params).execute()["items"][0]["start"]["dateTime"]

    assert start() == "2026-03-02T10:00:00Z"
    assert start(timeZone="Europe/Berlin") == "2026-03-02T11:00:00+01:00"


def test_a_refused_calendar_can_still_be_changed_by_others(calendar, google):
    """403 as long as it is forbidden, then what happened meanwhile is there."""
    _, token = listed(calendar)
    google.forbid()
    key = google.create_event()["id"]
    with pytest.raises(HttpError) as refused:
        calendar.events().list(calendarId="primary", syncToken=token).execute()
    google.forbid(allow=True)

    events, _ = listed(calendar, syncToken=token)

    assert refused.value.status_code == 403
    assert [event["id"] for event in events] == [key]


def test_calendars_that_google_makes_tell_of_no_deletion(calendar, google):
    """Birthdays, holidays: what is gone from them is simply not listed any more."""
    birthdays = google.create_calendar("Birthdays", id="birthdays1@group.v.calendar.google.com")["id"]
    key = google.create_event("Ada", birthdays)["id"]
    token = calendar.events().list(calendarId=birthdays, showDeleted=True).execute()["nextSyncToken"]
    google.cancel_event(key, birthdays)

    assert calendar.events().list(calendarId=birthdays, syncToken=token, showDeleted=True).execute()["items"] == []
    assert calendar.events().list(calendarId=birthdays, showDeleted=True).execute()["items"] == []


def test_deleted_events_are_listed_on_request_until_google_forgets_them(calendar, google):
    """With showDeleted; after a time not even then."""
    key = google.create_event()["id"]
    google.cancel_event(key)

    def statuses(**params):
        return [event["status"] for event in calendar.events().list(calendarId="primary", **params).execute()["items"]]

    assert (statuses(), statuses(showDeleted=True)) == ([], ["cancelled"])
    google.forget_event()
    assert statuses(showDeleted=True) == []


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"orderBy": "startTime"}, "badRequest"),
        ({"timeMin": "2026-03-02"}, "badRequest"),
        ({"timeMin": "2026-03-02T00:00:00Z", "timeMax": "2026-03-01T00:00:00Z"}, "timeRangeEmpty"),
        ({"pageToken": "nonsense"}, "invalid"),
        ({"syncToken": "nonsense"}, "invalid"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(calendar, params, reason):
    """400 with Google's reason."""
    with pytest.raises(HttpError) as refused:
        calendar.events().list(calendarId="primary", **params).execute()

    assert (refused.value.status_code, refused.value.error_details[0]["reason"]) == (400, reason)
