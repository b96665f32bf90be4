"""Errors as programs read them: RFC 9457 problem documents, one type for each code.

A problem says what happened (`detail`) and what to do about it (`action`); nothing of what was sent is repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from connectors import errors as provider
from connectors.errors import ConnectorError
from storage import errors as ours
from storage.actions import UNDER_WAY_SECONDS
from storage.errors import StorageError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 10
SAID_ABOUT_INPUT = 8


@dataclass(eq=False)
class Problem(Exception):
    """What the caller is told."""

    status: int
    code: str
    detail: str
    action: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[Mapping[str, Any]] = ()
    """For a malformed request: where, and what is expected there."""
    whole: bool = False
    """`detail` tells people by itself what to do; `action` is for programs."""

    def body(self, public_url: str) -> dict[str, Any]:
        """The document; its type is an address at which the API's own pages explain it."""
        said = {
            "type": f"{public_url}/docs#problem-{self.code.replace('_', '-')}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "action": self.action,
        }
        return said | {"errors": list(self.errors)} if self.errors else said


AGAIN = "Try again; if it stays so, look into the web log."
LOOK = "Look at the connection's state, then ask again."

STATUS_OF_OURS: Sequence[tuple[type[StorageError], int]] = (
    (ours.UnknownId, 404),
    (ours.Conflict, 409),
    (ours.NotActive, 409),
    (ours.Fenced, 409),
    (ours.UnderWay, 409),
    (ours.KeyReused, 422),
    (ours.KeyMalformed, 400),
    (ours.DatabaseUnreachable, 503),
    (ours.DatabaseBusy, 503),
    (ours.DatabaseReadOnly, 503),
    (ours.DiskFull, 503),
    (ours.SchemaMismatch, 503),
)

OF_PROVIDERS: Sequence[tuple[type[ConnectorError], int, str]] = (
    (provider.TryLater, 503, "Ask again after the seconds that `Retry-After` says."),
    (provider.Reconnect, 422, "Connect the account again, with a key or a sign-in that is good."),
    (provider.Refused, 422, "Have it allowed at the provider, then ask again."),
    (provider.Declined, 422, "Correct it, then ask again."),
    (provider.Misconfigured, 409, "Whoever runs Syncline has to mend it; then ask again."),  # no time mends it
    (provider.Unproved, 504, "Look at the provider whether it was done."),
    (provider.Broken, 502, AGAIN),
)

OF_STATUS: Mapping[int, tuple[str, str, str]] = {
    404: ("not_found", "There is nothing at this address.", "Look up the address at /docs."),
    405: ("method_not_allowed", "This address does not take that method.", "Look up the method at /docs."),
    400: ("bad_request", "This request cannot be understood.", "Send it as /docs shows it."),
}


def problem_of(error: Exception) -> Problem | None:
    """The problem that *error* is; None for what nobody foresaw."""
    match error:
        case Problem():
            return error
        case StorageError():
            return _of_ours(error)
        case ConnectorError():
            return _of_provider(error)
        case RequestValidationError():
            return _of_input(error)
        case HTTPException():
            return _of_http(error)
        case _:
            return None


def unforeseen() -> Problem:
    return Problem(500, "unexpected", "Something unforeseen went wrong here.", AGAIN)


def _of_ours(error: StorageError) -> Problem:
    status = next((status for kind, status in STATUS_OF_OURS if isinstance(error, kind)), 500)
    wait = UNDER_WAY_SECONDS if isinstance(error, ours.UnderWay) else RETRY_SECONDS
    later = status == HTTPStatus.SERVICE_UNAVAILABLE or isinstance(error, ours.UnderWay)
    headers = {"Retry-After": str(wait)} if later else {}
    return Problem(status, error.code, error.sentence, error.action or LOOK, headers)


def _of_provider(error: ConnectorError) -> Problem:
    status, action = next(((at, what) for kind, at, what in OF_PROVIDERS if isinstance(error, kind)), (502, AGAIN))
    seconds = getattr(error, "seconds", None) or RETRY_SECONDS
    headers = {"Retry-After": str(max(1, round(seconds)))} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return Problem(status, error.code, str(error), action, headers, whole=True)


def _of_http(error: HTTPException) -> Problem:
    code, detail, action = OF_STATUS.get(
        error.status_code,
        (HTTPStatus(error.status_code).phrase.lower().replace(" ", "_"), str(error.detail), "Look it up at /docs."),
    )
    return Problem(error.status_code, code, detail, action, dict(error.headers or {}))


def _of_input(error: RequestValidationError) -> Problem:
    """Where the request is malformed and what belongs there, never what was there."""
    found = [{"in": _place(one), "expected": _expected(one)} for one in error.errors()[:SAID_ABOUT_INPUT]]
    said = "; ".join(f"{one['in']}: {one['expected']}" for one in found)
    return Problem(422, "malformed_request", f"This request is malformed: {said}.", "Correct it.", errors=found)


def _place(one: Mapping[str, Any]) -> str:
    """`body.credentials.api_key`; a name that the caller made up is shown as far as it is a plain word."""
    parts = ["body"] if one["type"] == "json_invalid" else [str(part) for part in one["loc"]]
    return ".".join(part if part.isidentifier() and part.isascii() else "…" for part in parts) or "body"


def _expected(one: Mapping[str, Any]) -> str:
    if one["type"] == "json_invalid":
        return "should be JSON"
    text = str(one["msg"]).removeprefix("Value error, ")
    if text.startswith("Value should have"):  # pydantic's words for a text whose length is looked at last
        text = text.replace("Value", "Text").replace(" item", " character").replace(" after validation", "")
    return text[:1].lower() + text[1:]
