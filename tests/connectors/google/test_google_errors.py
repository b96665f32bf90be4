"""What Google refuses has one reaction each, in both of the shapes that it answers in."""

import json

import pytest

from connectors.answers import Answer
from connectors.errors import AccessExpired, Broken, Misconfigured, Missing, RateLimited, Refused
from connectors.google_errors import AlreadyThere, Invalid, SyncTokenGone, is_about_project, judge, reason_given


def answer(status, body):
    return Answer(status, body if isinstance(body, bytes) else json.dumps(body).encode(), {})


def old(status, reason, message="Said so", **more):
    error = {"domain": "global", "reason": reason, "message": message, **more}
    return answer(status, {"error": {"errors": [error], "code": status, "message": message}})


def new(status, word, reason=None):
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    return answer(status, {"error": {"code": status, "message": "Said so", "status": word, "details": details}})


REACTIONS = [
    (old(401, "authError"), AccessExpired),
    (answer(401, b""), AccessExpired),
    (old(403, "rateLimitExceeded"), RateLimited),
    (old(403, "userRateLimitExceeded"), RateLimited),
    (old(403, "quotaExceeded"), RateLimited),
    (old(403, "dailyLimitExceeded"), RateLimited),
    (new(403, "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"), RateLimited),
    (old(403, "insufficientPermissions"), Refused),
    (new(403, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), Refused),
    (old(403, "forbidden"), Refused),
    (old(403, "accessNotConfigured"), Misconfigured),
    (new(403, "PERMISSION_DENIED", "SERVICE_DISABLED"), Misconfigured),
    (old(404, "notFound"), Missing),
    (new(404, "NOT_FOUND"), Missing),
    (old(410, "deleted"), Missing),
    (old(410, "fullSyncRequired"), SyncTokenGone),
    (old(410, "updatedMinTooLongAgo"), SyncTokenGone),
    (old(409, "duplicate"), AlreadyThere),
    (old(400, "invalid", location="pageToken", locationType="parameter"), Invalid),
    (new(400, "INVALID_ARGUMENT"), Invalid),
    (old(412, "conditionNotMet"), Broken),
]


@pytest.mark.parametrize(("refusal", "reaction"), REACTIONS)
def test_each_refusal_has_its_reaction(refusal, reaction):
    """By reason and status, with a sentence that holds none of Google's own text."""
    error = judge("Google Calendar")(refusal)

    assert type(error) is reaction
    assert "Said so" not in str(error)
    assert str(error).endswith(".")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Not Found</html>",
        b"[]",
        b"{}",
        b'{"error": "x"}',
        b'{"error": {}}',
        b'{"error": {"message": "no"}}',
        b'{"error":' * 9000,
        b'{"error": {"code": 404, "errors": [3]}}',
        b"\xff\xfe",
    ],
)
@pytest.mark.parametrize("status", [400, 403, 404, 410, 412])
def test_what_is_not_googles_proves_nothing(status, body):
    """A status alone is no word of Google's: a bare 404 is never absence, a bare 403 never a refusal."""
    assert judge("Google Calendar")(answer(status, body)) is None


def test_a_parameter_is_named():
    """Google says which value it does not take."""
    error = judge("Gmail")(old(400, "invalid", location="pageToken", locationType="parameter"))

    assert error.param == "pageToken"


def test_a_day_that_is_spent_is_looked_at_again_in_an_hour():
    """The daily allowance is waited for longer than a second's."""
    judged = judge("Gmail")

    assert judged(old(403, "dailyLimitExceeded")).seconds == 3600
    assert judged(old(403, "rateLimitExceeded")).seconds is None


def test_googles_own_words_are_to_be_had():
    """For whoever shows a person why a write was refused."""
    assert reason_given(old(403, "forbidden", "You need to be a writer.")) == "You need to be a writer."
    assert reason_given(answer(403, b"<html>")) is None


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (
            old(403, "rateLimitExceeded", "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'"),
            True,
        ),
        (
            old(
                403,
                "rateLimitExceeded",
                "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'",
            ),
            False,
        ),
        (old(403, "rateLimitExceeded", "Rate Limit Exceeded"), False),
        (old(403, "dailyLimitExceeded", "Daily Limit Exceeded"), True),
        (answer(429, b""), False),
    ],
)
def test_whom_a_limit_concerns(refusal, told):
    """All accounts wait only where Google says that the project's allowance is spent."""
    assert is_about_project(refusal) is told
