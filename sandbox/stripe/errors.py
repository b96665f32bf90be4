"""Stripe's refusals: the status, and the body that goes with it.

https://docs.stripe.com/api/errors
"""

import secrets
from typing import Any

import orjson


class Refusal(Exception):
    """What Stripe answers instead of doing what was asked."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}
        self._fields = {"code": code, "message": message, "param": param, "type": kind}

    def body(self, request_id: str) -> bytes:
        """The error as Stripe writes it."""
        error: dict[str, Any] = {name: value for name, value in self._fields.items() if value is not None}
        if self.code:
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}?t=1"
        return orjson.dumps({"error": error}, option=orjson.OPT_INDENT_2)


def new_request_id() -> str:
    return "req_" + secrets.token_urlsafe(11)[:14].replace("-", "A").replace("_", "B")


def missing(title: str, value: str, *, param: str = "id", status: int = 404) -> Refusal:
    """The object is not there; 404 where the path names it, 400 where a parameter does."""
    return Refusal(status, f"No such {title}: '{value}'", code="resource_missing", param=param)


def unknown_url(method: str, path: str) -> Refusal:
    where = f"{method}: {path}"
    return Refusal(
        404,
        f"Unrecognized request URL ({where}). Please see https://stripe.com/docs or we can help at"
        " https://support.stripe.com/.",
    )


def unknown_parameter(name: str) -> Refusal:
    return Refusal(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def required(name: str) -> Refusal:
    return Refusal(400, f"Missing required param: {name}.", code="parameter_missing", param=name)


def no_key() -> Refusal:
    return Refusal(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer"
        " auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for"
        " details, or we can help at https://support.stripe.com/.",
        headers={"WWW-Authenticate": 'Basic realm="Stripe"'},
    )


def invalid_key(key: str) -> Refusal:
    return Refusal(
        401, f"Invalid API Key provided: {veiled(key)}", headers={"WWW-Authenticate": 'Basic realm="Stripe"'}
    )


def expired_key(key: str) -> Refusal:
    return Refusal(
        401,
        f"Expired API Key provided: {veiled(key)}",
        code="api_key_expired",
        headers={"WWW-Authenticate": 'Basic realm="Stripe"'},
    )


def not_permitted(key: str, account: str, route: str) -> Refusal:
    resource = route.split("/")[2].rstrip("s") if route.count("/") > 1 else route
    return Refusal(
        403,
        f"The provided key '{veiled(key)}' does not have the required permissions for this endpoint on account"
        f" '{account}'. Having the 'rak_{resource}_read' permission would allow this request to continue.",
    )


def too_many(reason: str) -> Refusal:
    """One request too many; *reason* is `global-rate` or `endpoint-rate`."""
    return Refusal(
        429,
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        headers={"Stripe-Rate-Limited-Reason": reason},
    )


def key_in_use(key: str) -> Refusal:
    return Refusal(
        409,
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted"
        f" twice, and the other request is still going through): {key}. Please try again later.",
        code="idempotency_key_in_use",
        headers={"Stripe-Should-Retry": "true"},
    )


def key_reused(key: str) -> Refusal:
    return Refusal(
        400,
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using"
        f" a key other than '{key}' if you meant to execute a different request.",
        kind="idempotency_error",
    )


def veiled(key: str) -> str:
    """A key as Stripe shows it back: its kind and its last four characters."""
    return key[:8] + "*" * max(0, len(key) - 12) + key[-4:] if len(key) > 12 else "*" * len(key)  # noqa: PLR2004
