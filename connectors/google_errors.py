"""What Google's refusals mean, in whichever of its two shapes they come.

The older names a `reason` for each error, the newer a `status` for all and a reason in its details; most answers are
both. https://developers.google.com/workspace/calendar/api/guides/errors
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec

from connectors.answers import Answer
from connectors.errors import AccessExpired, Broken, ConnectorError, Misconfigured, Missing, RateLimited, Refused

_SLOW_DOWN = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "RATE_LIMIT_EXCEEDED"})
_SPENT_FOR_TODAY = frozenset({"dailyLimitExceeded", "dailyLimitExceededUnreg"})
_SCOPE_LACKS = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
_SWITCHED_OFF = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
_NOT_DELIVERED_TO = "push."
"""So begin the reasons why Google does not push to an address: it is not ours, or not https."""
_WATCHED_OTHERWISE = "Only one user push notification client"
"""No other reason than this sentence is given for it."""
_TOKEN_GONE = frozenset({"fullSyncRequired", "updatedMinTooLongAgo"})
_HOUR = 3600.0
"""A daily allowance comes back at midnight in California; it is looked for every hour."""

_LACKS = (
    "This connection may not read this part of {provider}: the permission was not given. What was read before is kept. "
    "Connect again and leave every box ticked."
)
_FORBIDDEN = (
    "{provider} does not let this account read this part. What was read before is kept. "
    "Ask whoever shares it, or your administrator, for access."
)
_OFF = (
    "The {provider} API is not switched on for the Google Cloud project of SYNCLINE_GOOGLE_CLIENT_ID: enable it in the "
    "Google Cloud console, under APIs and services."
)

_NO_ADDRESS = (
    "{provider} does not push to the address of SYNCLINE_PUBLIC_URL: it has to be https with a valid certificate, and "
    "Google may ask for proof in the Google Search Console that its domain is yours. Until then it is polled."
)


class SyncTokenGone(ConnectorError):
    """What a sync token stood for is no longer kept: whatever it was about has to be read whole again."""

    code = "sync_token_gone"
    message = "{provider} no longer tells what changed since the last sync: it has to be read in full."


class Invalid(Broken):
    """Google does not take the value of a parameter; `param` names it where Google does."""

    code = "invalid_parameter"

    def __init__(self, provider: str, param: str | None = None) -> None:
        self.param = param
        super().__init__(provider)


class AlreadyThere(Broken):
    """There is a record of that id already."""

    code = "already_there"
    message = "{provider} already has a record of this name."


class _Reason(msgspec.Struct):
    reason: Any = None
    location: Any = None


class _Detail(msgspec.Struct):
    reason: Any = None


class _Error(msgspec.Struct):
    code: Any = None
    status: Any = None
    message: Any = None
    errors: list[_Reason] = []
    details: list[_Detail] = []


class _Refusal(msgspec.Struct):
    error: _Error


_decode = msgspec.json.Decoder(_Refusal).decode


def judge(title: str) -> Callable[[Answer], ConnectorError | None]:
    """The judge of one of Google's APIs; None for an answer that is not in Google's own words."""

    def judged(answer: Answer) -> ConnectorError | None:
        error = _read(answer.content)
        if error is not None and any(reason.startswith(_NOT_DELIVERED_TO) for reason in _reasons(error)):
            return Misconfigured(title, _NO_ADDRESS)  # with 401, which is not about the account then
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return AccessExpired(title)
        return None if error is None else _meaning(title, answer.status, error)

    return judged


def reason_given(answer: Answer) -> str | None:
    """Google's own sentence for a refusal, for people; None when there is none."""
    error = _read(answer.content)
    return error.message if error is not None and isinstance(error.message, str) and error.message else None


def is_about_project(answer: Answer) -> bool:
    """Whether a refusal for too many requests concerns all accounts of the project, not this one alone."""
    error = _read(answer.content)
    if error is None:
        return False
    said = error.message if isinstance(error.message, str) else ""
    whole = said.startswith("Quota exceeded") and "per user" not in said  # the reason is the same for both
    return whole or not _SPENT_FOR_TODAY.isdisjoint(_reasons(error))


def _read(body: bytes) -> _Error | None:
    try:
        error = _decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return error if isinstance(error.code, int) or error.errors or isinstance(error.status, str) else None


def _reasons(error: _Error) -> set[str]:
    found = [part.reason for part in error.errors] + [part.reason for part in error.details]
    return {reason for reason in found if isinstance(reason, str)}


def _meaning(title: str, status: int, error: _Error) -> ConnectorError:
    reasons = _reasons(error)
    if reasons & _SLOW_DOWN or error.status == "RESOURCE_EXHAUSTED":
        return RateLimited(title)
    if reasons & _SPENT_FOR_TODAY:
        return RateLimited(title, _HOUR)
    if status == HTTPStatus.GONE and reasons & _TOKEN_GONE:
        return SyncTokenGone(title)
    if status == HTTPStatus.BAD_REQUEST:
        return _not_taken(title, error)
    if status == HTTPStatus.FORBIDDEN:
        return _refused(title, reasons)
    return _BY_STATUS.get(status, Broken)(title)


def _not_taken(title: str, error: _Error) -> ConnectorError:
    if isinstance(error.message, str) and error.message.startswith(_WATCHED_OTHERWISE):
        return AlreadyThere(title)
    return Invalid(title, next((part.location for part in error.errors if isinstance(part.location, str)), None))


_BY_STATUS: dict[int, type[ConnectorError]] = {
    HTTPStatus.NOT_FOUND: Missing,
    HTTPStatus.GONE: Missing,
    HTTPStatus.CONFLICT: AlreadyThere,
}


def _refused(title: str, reasons: set[str]) -> ConnectorError:
    if reasons & _SWITCHED_OFF:
        return Misconfigured(title, _OFF)
    return Refused(title, _LACKS if reasons & _SCOPE_LACKS else _FORBIDDEN)
