"""How Google refuses.

https://developers.google.com/workspace/calendar/api/guides/errors
https://developers.google.com/workspace/gmail/api/guides/handle-errors
"""

from typing import Any

import orjson

STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Failed(Exception):
    """A refusal of one of the APIs; the text is Google's message."""

    def __init__(self, code: int, reason: str, message: str, *, domain: str = "global", **more: Any) -> None:
        self.code = code
        self.reason = reason
        self.message = message
        self.domain = domain
        self.more = more
        """location, locationType; `inner` is the error's own message where it differs; details."""
        super().__init__(message)

    def body(self, *, with_status: bool = True) -> bytes:
        """The older services leave the status out."""
        more = dict(self.more)
        details = more.pop("details", None)
        inner = more.pop("inner", self.message)
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "errors": [{"message": inner, "domain": self.domain, "reason": self.reason, **more}],
        }
        if (with_status or details or self.code == 401) and self.code in STATUS:  # noqa: PLR2004 - HTTP's own number
            error["status"] = STATUS[self.code]
        if details:
            error["details"] = details
        return orjson.dumps({"error": error}, option=orjson.OPT_INDENT_2)


def invalid(name: str, value: object = None, message: str | None = None) -> Failed:
    """A parameter's value that Google does not take."""
    said = message or f"Invalid value '{value}'. Values must match the following regular expression."
    return Failed(400, "invalid", said, locationType="parameter", location=name)


def bad_request(message: str = "Bad Request") -> Failed:
    return Failed(400, "badRequest", message)


def required(name: str) -> Failed:
    """A parameter or member that is missing."""
    return Failed(400, "required", f"Missing required field: {name}")


def not_found(message: str = "Not Found") -> Failed:
    return Failed(404, "notFound", message)


def no_entity() -> Failed:
    """Gmail's way to say the same."""
    return not_found("Requested entity was not found.")


def deleted() -> Failed:
    return Failed(410, "deleted", "Resource has been deleted")


def duplicate() -> Failed:
    return Failed(409, "duplicate", "The requested identifier already exists.")


def full_sync_required() -> Failed:
    """A sync token that no longer holds."""
    return Failed(
        410,
        "fullSyncRequired",
        "Sync token is no longer valid, a full sync is required.",
        domain="calendar",
        locationType="parameter",
        location="syncToken",
    )


def access_level(role: str) -> Failed:
    """A calendar that is known to the account, which may do less with it."""
    message = f"You need to have {role} access to this calendar."
    return Failed(403, "requiredAccessLevel", message, domain="calendar")


def unauthenticated() -> Failed:
    """An access token that is missing, unknown, expired or revoked."""
    return Failed(
        401,
        "authError",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        inner="Invalid Credentials",
        locationType="header",
        location="Authorization",
    )


def scope_insufficient(service: str, method: str) -> Failed:
    """A token of which the user granted less than the method needs."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": {"service": service, "method": method},
    }
    return Failed(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        inner="Insufficient Permission",
        details=[info],
    )


def too_many(code: int, *, project: bool, gmail: bool) -> Failed:
    """More than the limits allow; Google uses 403 and 429 for it."""
    reason = "rateLimitExceeded" if project or (gmail and code == 429) else "userRateLimitExceeded"  # noqa: PLR2004
    whose = "" if project else " per user"
    message = f"Quota exceeded for quota metric 'Queries' and limit 'Queries per minute{whose}'."
    return Failed(code, reason, message, domain="usageLimits")
