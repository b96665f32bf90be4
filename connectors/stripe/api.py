"""Stripe's HTTP: keys, limits, and what its refusals mean.

https://docs.stripe.com/api/errors, https://docs.stripe.com/rate-limits, https://docs.stripe.com/keys
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from connectors.answers import Answer
from connectors.api import Api
from connectors.client import Client
from connectors.errors import Broken, ConnectorError, Missing, Reconnect, Refused, Unproved
from connectors.limits import rate_limits
from connectors.session import Bucket, Limit, Mode, Session
from connectors.stripe.settings import TITLE, load

NAME = "stripe"

# Requests a second, https://docs.stripe.com/rate-limits: for the whole account, and for each endpoint of it.
_ACCOUNT: dict[Mode, Limit] = {"live": Limit(100), "test": Limit(25)}
_ENDPOINT = Limit(25)

_KEY = re.compile(r"(sk|rk)_(live|test)_\S+")

_WRONG_KEY = (
    "This is not a key that {provider} data can be read with. Use a secret key (it begins with sk_live_ or sk_test_) "
    "or a restricted key (rk_live_ or rk_test_) from the API keys page of the {provider} dashboard."
)
_KEY_REFUSED = (
    "{provider} does not accept this API key: it was revoked, has expired, or is not complete. Your data is kept. "
    "Copy a valid key from the API keys page of the {provider} dashboard and connect the account again."
)
_NOT_PERMITTED = (
    "This {provider} key may not read this data. What was read before is kept. Give the key read permission for it on "
    "the API keys page of the {provider} dashboard, or connect again with a key that has it."
)


class _Error(msgspec.Struct):
    type: str
    code: str | None = None
    param: str | None = None
    decline_code: str | None = None


class _Refusal(msgspec.Struct):
    error: _Error


_refusal = msgspec.json.Decoder(_Refusal).decode


class Objection(Broken):
    """Stripe does not take what was asked; by its own words for why, never its sentence."""

    def __init__(self, reason: str | None, decline: str | None, param: str | None) -> None:
        self.reason = reason
        """https://docs.stripe.com/error-codes"""
        self.decline = decline
        """https://docs.stripe.com/declines/codes"""
        self.param = param
        super().__init__(TITLE)


def mode_of(api_key: str) -> Mode:
    """Live or test, as the key's prefix says; Reconnect when it is no key that data can be read with."""
    found = _KEY.fullmatch(api_key)
    if not found:
        raise Reconnect(TITLE, _WRONG_KEY, code="wrong_key")
    return "live" if found[2] == "live" else "test"


def open_client(session: Session) -> Client:
    """A client that speaks for the account of the session's `api_key`, in the pinned version."""
    settings = load()
    headers = {"stripe-version": settings.api_version}
    mode = mode_of(session.credentials.get("api_key", ""))
    limits = rate_limits(NAME, TITLE, {"account": _ACCOUNT[mode], "endpoint": _ENDPOINT})

    def buckets(method: str, route: str) -> Sequence[Bucket]:
        endpoint = re.sub(r"[^a-z0-9_]+", "-", f"{method}{route}".lower()).strip("-")
        return (
            Bucket(NAME, "account", session.scope, limits["account"]),
            Bucket(NAME, f"endpoint-{endpoint}", session.scope, limits["endpoint"]),
        )

    return Client(Api(NAME, TITLE, settings.api_url, headers, buckets, judge, paused, sign_in), session)


def sign_in(credentials: Mapping[str, str]) -> Mapping[str, str]:
    """The key as Stripe wants it sent."""
    return {"authorization": f"Bearer {credentials['api_key']}"}


def paused(answer: Answer, buckets: Sequence[Bucket]) -> Sequence[Bucket]:
    """The buckets that a 429 is about: the account's, the endpoint's, or both when Stripe does not say."""
    reason = answer.headers.get("stripe-rate-limited-reason", "").strip().lower()
    kind = reason.partition("-")[0]
    wanted = {"global": "account", "account": "account", "endpoint": "endpoint"}.get(kind, "")
    return [bucket for bucket in buckets if bucket.name.startswith(wanted)]


def judge(answer: Answer) -> ConnectorError | None:
    """What a 4xx means, by Stripe's own error object; None for an answer that is not Stripe's."""
    if answer.status == 401:  # noqa: PLR2004
        return Reconnect(TITLE, _KEY_REFUSED, code="key_refused")
    try:
        error = _refusal(answer.content).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if answer.status == 403:  # noqa: PLR2004
        return Refused(TITLE, _NOT_PERMITTED)
    return _meaning(answer.status, error)


def _meaning(status: int, error: _Error) -> ConnectorError | None:
    if error.code == "resource_missing" and status in {400, 404}:
        return Missing(TITLE, error.param)
    if error.code == "idempotency_key_in_use":
        return None  # the first one is still at it: asked again, Stripe will give its answer
    if error.type == "idempotency_error":
        return Unproved(TITLE)
    return Objection(error.code, error.decline_code, error.param)
