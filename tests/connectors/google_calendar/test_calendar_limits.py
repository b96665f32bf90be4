"""A 403 that means "too many requests" is waited for like a 429; any other is a refusal."""

import asyncio
import dataclasses

import pytest

from connectors.errors import AccessExpired, Misconfigured, RateLimited, Refused
from connectors.google_calendar.api import API, list_events
from connectors.registry import get
from tests.connectors.conftest import http
from tests.connectors.google_calendar.conftest import HOME, event, refused

FIRST = (HOME, None, 0)


def limited(reason, **headers):
    error = {"errors": [{"domain": "usageLimits", "reason": reason}], "code": 403, "message": "raw"}
    return http({"error": error}, 403, **headers)


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"])
async def test_too_many_requests_pause_the_account(reason, google, calendar, throttle, records):
    """The account's bucket alone, then the request is sent again."""
    google.pages[HOME, None] = [[event("1")]]
    google.refusals[FIRST] = [limited(reason), limited(reason, retry_after="2")]

    got = await list_events(calendar, HOME, None, None)

    assert len(got.records) == 1
    (first, _), (second, seconds) = throttle.paused
    assert first == second == ["user"]
    assert seconds == 2
    assert [record.error for record in records] == ["rate_limited", "rate_limited", None]


async def test_a_day_that_is_spent_pauses_the_project(google, calendar, throttle):
    """Nobody waits so long: the run ends and goes on later."""
    google.refusals[FIRST] = limited("dailyLimitExceeded")

    with pytest.raises(RateLimited) as caught:
        await list_events(calendar, HOME, None, None)

    assert caught.value.seconds == 3600
    assert throttle.paused == [(["project"], 3600)]


@pytest.mark.parametrize(
    ("refusal", "reaction"),
    [
        (refused(403, "forbidden"), Refused),
        (refused(403, "insufficientPermissions"), Refused),
        (refused(403, "accessNotConfigured"), Misconfigured),
        (refused(401, "authError"), AccessExpired),
    ],
)
async def test_any_other_refusal_is_not_repeated(refusal, reaction, google, calendar, throttle, records):
    """Trying again could not help."""
    google.refusals[FIRST] = refusal

    with pytest.raises(reaction):
        await list_events(calendar, HOME, None, None)

    assert len(records) == 1
    assert throttle.paused == []


async def test_each_request_draws_on_both_allowances(google, calendar, throttle):
    """The account's and the project's, as Google publishes them."""
    await list_events(calendar, HOME, None, None)

    assert throttle.taken == [["user", "project"]]
    user, project = calendar.api.buckets("GET", "/whatever")
    assert (user.limit.units, user.limit.per_seconds, user.scope) == (600, 60, f"{HOME}:live")
    assert (project.limit.units, project.limit.per_seconds, project.scope) == (10_000, 60, "")


async def test_a_token_that_ended_is_renewed_once(google, provider, session, records, throttle):
    """The request that was refused is repeated with the new one; several at once renew once."""
    renewed = []

    async def renew(refused):
        renewed.append(refused["access_token"])
        return {"access_token": "ya29.new"}

    honest = google.answer
    old = dataclasses.replace(session, credentials={"access_token": "ya29.old"}, renew=renew)
    provider.answer = lambda asked: (
        refused(401, "authError") if asked.headers["authorization"] != "Bearer ya29.new" else honest(asked)
    )

    async with API.open(old) as client:
        await asyncio.gather(*(list_events(client, HOME, None, None) for _ in range(5)))

    assert renewed == ["ya29.old"]


async def test_whose_calendar_it_is(google, provider, calendar):
    """The id of the primary calendar is the account's address."""
    provider.answer = lambda asked: http({"kind": "calendar#calendar", "id": HOME, "summary": ""})

    account = await get("google_calendar").identify(calendar)

    assert (account.external_account_id, account.name) == (HOME, HOME)
    assert provider.asked[-1].path == "/calendar/v3/calendars/primary"
