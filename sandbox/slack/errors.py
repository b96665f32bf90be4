"""Slack's refusals: `ok: false` with status 200, but for rate limits and broken addresses.

https://docs.slack.dev/reference/methods lists the words of each method.
"""

from typing import Any

import orjson


class Failed(Exception):
    """What Slack answers instead of doing what was asked."""

    def __init__(self, error: str, *, status: int = 200, headers: dict[str, str] | None = None, **fields: Any) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.headers = headers or {}
        self.fields = fields

    def body(self) -> bytes:
        """The error as Slack writes it."""
        return orjson.dumps({"ok": False, "error": self.error} | self.fields)


def ratelimited(seconds: int) -> Failed:
    return Failed("ratelimited", status=429, headers={"Retry-After": str(seconds)})


def missing_scope(needed: str, provided: tuple[str, ...]) -> Failed:
    return Failed("missing_scope", needed=needed, provided=",".join(provided))


def unknown_method(name: str) -> Failed:
    return Failed("unknown_method", req_method=name)


def invalid_arguments(message: str) -> Failed:
    return Failed("invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}"]})
