"""The way in and out that every request takes: turned away or let in, answered with the headers that keep browsers
safe, and written down in one line.
"""

import logging
import time
import traceback
from http import HTTPStatus
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.web_settings import Web
from web.answers import answer
from web.bodies import Disconnected, whole
from web.guards import API, PREFIX, refusal
from web.problems import Problem, unforeseen

log = logging.getLogger("web")

ROOT = Path(__file__).parents[1]
CONTENT_SECURITY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STRICT_TRANSPORT = "max-age=31536000"
KEPT_BY_NOBODY = "no-store"
UNCACHED = (API, "/connect/")


class Doorway:
    """See the module."""

    def __init__(self, app: ASGIApp, web: Web) -> None:
        self.app = app
        self.web = web

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        since, said = time.monotonic(), _Said(scope, send, self.web)
        try:
            await self._let_in(scope, receive, said)
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001 -- the last resort: its name and place are told, its text is not
            log.error("failed error=%s at=%s", type(error).__name__, _place(error))  # noqa: TRY400 -- no traceback
            if said.status is None:
                await answer(Request(scope), unforeseen(), self.web)(scope, receive, said)
        finally:
            _note(scope, said.status, time.monotonic() - since)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        problem = refusal(request, self.web)
        if problem is None:
            try:
                receive = await whole(receive, request.headers.get("content-length"))
            except Problem as error:
                problem = error
        if problem:
            await answer(request, problem, self.web)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class _Said:
    """Sends on what is answered, with our headers, and remembers the status."""

    def __init__(self, scope: Scope, send: Send, web: Web) -> None:
        self.status: int | None = None
        self._send = send
        self._headers = HEADERS | ({"Strict-Transport-Security": STRICT_TRANSPORT} if web.secure else {})
        if scope["path"].startswith(UNCACHED):
            self._headers["Cache-Control"] = KEPT_BY_NOBODY

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        await self._send(message)


def _note(scope: Scope, status: int | None, seconds: float) -> None:
    """One line: the route's template and never the address, whose path and query may hold anything."""
    client = (scope.get("client") or ("-",))[0]
    level = logging.WARNING if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} else logging.INFO
    log.log(
        level,
        "request method=%s route=%s status=%s ms=%d client=%s",
        scope["method"],
        _template(scope),
        status or "-",
        seconds * 1000,
        client,
    )


def _template(scope: Scope) -> str:
    """The route's own, with its prefix; a dash where no route was reached."""
    inner: str | None = getattr(scope.get("route"), "path", None)
    if inner is None:
        return "-"
    return PREFIX + inner if scope["path"].startswith(PREFIX) and not inner.startswith(PREFIX) else inner


def _place(error: Exception) -> str:
    """Where it went wrong: files and lines, innermost first; no line of it holds a value."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(ROOT) and ".venv" not in frame.filename]
    return " < ".join(f"{Path(frame.filename).relative_to(ROOT)}:{frame.lineno}" for frame in ours[:6])
