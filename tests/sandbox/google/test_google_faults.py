"""Limits, faults and the ledger."""

import gzip

import httpx
import pytest
from googleapiclient.errors import HttpError

TIMED = {"start": {"dateTime": "2026-03-02T10:00:00Z"}, "end": {"dateTime": "2026-03-02T11:00:00Z"}}


def test_limit_of_the_calendar_counts_requests(calendar, google):
    """One more is refused with the status that is set, and works again when the minute is over."""
    google.settings(limits=True, user={"calendar": 3}, minute=0.5)
    for _ in range(3):
        calendar.calendars().get(calendarId="primary").execute()

    with pytest.raises(HttpError) as refused:
        calendar.calendars().get(calendarId="primary").execute()

    assert (refused.value.status_code, refused.value.error_details[0]["reason"]) == (403, "userRateLimitExceeded")
    calendar.calendars().get(calendarId="primary").execute(num_retries=3)


def test_limit_of_gmail_counts_units(gmail, google):
    """A message costs more than a page of ids; 429 has its own reason and status."""
    key = google.deliver()["id"]
    google.settings(limits=True, user={"gmail": 45}, limit_status=429)
    gmail.users().messages().list(userId="me").execute()
    for _ in range(2):
        gmail.users().messages().get(userId="me", id=key).execute()

    refused = google.get("/gmail/v1/users/me/messages")

    assert refused.status_code == 429
    assert refused.json()["error"]["errors"][0]["reason"] == "rateLimitExceeded"
    assert refused.json()["error"]["status"] == "RESOURCE_EXHAUSTED"


def test_limit_of_a_project_is_shared_by_its_accounts(google, another_google):
    """But not by those of another client."""
    for account in (google, another_google):
        account.settings(project={"calendar": 2})
        account.consent()

    answers = [account.get("/calendar/v3/calendars/primary") for account in (google, another_google, google)]

    assert [answer.status_code for answer in answers] == [200, 200, 403]
    assert answers[-1].json()["error"]["errors"][0]["reason"] == "rateLimitExceeded"


@pytest.mark.parametrize("kind", ["drop", "reset_before", "cut_length", "empty"])
def test_write_whose_answer_is_lost_has_happened(google, kind):
    """Once, and the ledger knows."""
    google.consent()
    google.fault(kind, "events.insert")
    body = TIMED | {"id": "abcde12345"}

    with httpx.Client(
        base_url=google.url, headers={"Authorization": f"Bearer {google.token}"}, trust_env=False, verify=False
    ) as web:
        if kind == "empty":
            assert web.post("/calendar/v3/calendars/primary/events", json=body).content == b""
        else:
            with pytest.raises(httpx.TransportError):
                web.post("/calendar/v3/calendars/primary/events", json=body)

    assert [row["id"] for row in google.writes("events", by="api")] == [f"{google.email} abcde12345"]
    (request,) = google.requests("events.insert")
    assert request["fault"] == kind


def test_refused_instead_of_or_after_the_work(google):
    """Only with perform=True it was done."""
    google.consent()
    google.fault("error", "events.insert", status=503)
    google.fault("error", "events.insert", status=500, perform=True)
    sent = {"headers": {"Authorization": f"Bearer {google.token}"}, "json": TIMED}

    answers = [google._client.post("/calendar/v3/calendars/primary/events", **sent).status_code for _ in range(2)]

    assert answers == [503, 500]
    assert len(google.truth("events")) == 1


def test_fault_of_the_token_endpoint(google):
    """It meets the account's own requests and no others."""
    google.consent()
    google.fault("error", "token", status=503)
    form = {"grant_type": "refresh_token", "refresh_token": google.refresh_token}
    form |= {"client_id": google.client["id"], "client_secret": google.client["secret"]}

    answers = [google._client.post("/google/token", data=form).status_code for _ in range(2)]

    assert answers == [503, 200]
    assert [row["status"] for row in google.requests("token")] == answers


def test_pages_that_shift_or_never_end(calendar, google):
    """Changes between two pages; a page that comes again; a list without an end."""
    google.load(events=6)
    google.fault("shift", "events.list", only=["event"], changes=3, seed=1)
    first = calendar.events().list(calendarId="primary", maxResults=3).execute()
    assert any(row["by"] == "control" for row in google.writes("events"))

    google.fault("loop", "events.list", times=2)
    for _ in range(2):
        page = calendar.events().list(calendarId="primary", maxResults=3, pageToken=first["nextPageToken"]).execute()
        assert page["nextPageToken"]
        assert page["items"][0]["id"] == first["items"][0]["id"]


def test_expired_page_token_is_invalid(calendar, google):
    """400 that names the parameter."""
    google.load(events=6)
    token = calendar.events().list(calendarId="primary", maxResults=3).execute()["nextPageToken"]
    google.expire_page_tokens()

    with pytest.raises(HttpError) as refused:
        calendar.events().list(calendarId="primary", maxResults=3, pageToken=token).execute()

    assert refused.value.status_code == 400
    assert refused.value.error_details[0]["location"] == "pageToken"


def test_answers_are_packed_for_those_who_say_so_twice(google):
    """In Accept-Encoding and in User-Agent, as Google wants it."""
    google.consent()
    key = google.deliver(text="long " * 1000)["id"]
    headers = {"Authorization": f"Bearer {google.token}", "Accept-Encoding": "gzip"}

    def raw(agent):
        with google._client.stream(
            "GET", f"/gmail/v1/users/me/messages/{key}", headers=headers | {"User-Agent": agent}
        ) as answer:
            return answer.headers.get("content-encoding"), b"".join(answer.iter_raw())

    packed, plain = raw("x (gzip)"), raw("x")
    assert (packed[0], plain[0]) == ("gzip", None)
    assert gzip.decompress(packed[1]) == plain[1] == google.truth_raw("messages")[key]


def test_the_same_seed_shakes_the_same(google, another_google):
    """In two accounts, with everything that the API tells."""
    for account in (google, another_google):
        account.settings(fixed=1_772_000_000)
        account.shake(7, 60, service="calendar")

    def told(account):
        return {key: record.get("summary") for (_, key), record in account.truth("events").items()}

    assert told(google) == told(another_google) != {}


def test_every_change_is_announced_once_in_the_ledger(google):
    """With who made it."""
    google.create_event()
    google.deliver()
    google.consent("https://www.googleapis.com/auth/calendar.events")
    google._client.post(
        "/calendar/v3/calendars/primary/events", headers={"Authorization": f"Bearer {google.token}"}, json=TIMED
    ).raise_for_status()

    seen = [(row["stream"], row["change"], row["by"]) for row in google.writes() if row["stream"] != "calendars"]

    assert seen == [("events", "created", "control"), ("messages", "created", "control"), ("events", "created", "api")]


def test_settings_lead_to_what_the_sandbox_says_of_itself(google, sandbox):
    """Each address once, with the account's own client."""
    found = google.environment()

    assert found["SYNCLINE_GOOGLE_CLIENT_ID"] == google.client["id"] != sandbox.addresses["google_client_id"]
    assert {name for name in found if "CLIENT" not in name} == {
        "SYNCLINE_GMAIL_API_URL",
        "SYNCLINE_GOOGLE_AUTHORIZE_URL",
        "SYNCLINE_GOOGLE_CALENDAR_API_URL",
        "SYNCLINE_GOOGLE_JWKS_URL",
        "SYNCLINE_GOOGLE_REVOKE_URL",
        "SYNCLINE_GOOGLE_TOKEN_URL",
    }
