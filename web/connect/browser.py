"""How a browser is known again between the button and the provider's answer: by a cookie that no script reads."""

import secrets

from starlette.requests import Request
from starlette.responses import Response

from deployments.web_settings import Web

NAME = "syncline_browser"
SECONDS = 3600
LONGEST = 128


def known(request: Request, web: Web) -> str | None:
    """What this browser was given, if anything."""
    value = request.cookies.get(_name(web), "")
    return value if 0 < len(value) <= LONGEST else None


def new() -> str:
    """A name for a browser; 256 bits, so nobody guesses another's."""
    return secrets.token_urlsafe(32)


def remember(response: Response, web: Web, browser: str) -> None:
    """The browser comes back with this: also when the provider sends it here (Lax), never with a foreign POST."""
    response.set_cookie(
        _name(web), browser, max_age=SECONDS, path="/", secure=web.secure, httponly=True, samesite="lax"
    )


def _name(web: Web) -> str:
    """The prefix keeps anything but this very host from setting it; browsers allow it on https alone."""
    return f"__Host-{NAME}" if web.secure else NAME
