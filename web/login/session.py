"""How a browser that is logged in is known again, and what becomes of one that is not."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deployments.web_settings import Web
from storage import logins
from web.state import InWeb, InWorkshop

NAME = "syncline_session"
LONGEST = 128
PAGE = "/login"
OWN_ACCORD = "hx-request"
"""The header by which the page's own script says that nobody pressed anything, together with the method GET."""


class LoginNeeded(Exception):
    """The page is for people who are logged in."""


async def visitor(request: Request, workshop: InWorkshop, web: InWeb) -> None:
    """Lets browsers in that are logged in; LoginNeeded for all others, before anything is looked up for them."""
    token = secret(request, web)
    by_hand = request.method != "GET" or OWN_ACCORD not in request.headers
    if not token or not await logins.is_logged_in(workshop.db, token, web.admin_token, by_hand=by_hand):
        raise LoginNeeded


async def to_login(request: Request, error: Exception) -> Response:
    """To the login, and from there back to the page that was asked for."""
    del error
    path = request.url.path if request.method == "GET" else "/"
    where = f"{PAGE}?next={quote(path)}" if path != "/" else PAGE
    if OWN_ACCORD in request.headers:  # a redirect would put the login's page in the middle of this one
        return Response(status_code=401, headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)


def secret(request: Request, web: Web) -> str | None:
    """What the browser's cookie holds, if it has one."""
    value = request.cookies.get(_name(web), "")
    return value if 0 < len(value) <= LONGEST else None


def remember(response: Response, web: Web, token: str) -> None:
    """The browser brings this with everything that it asks for here, until it is closed; no script can read it."""
    response.set_cookie(_name(web), token, path="/", secure=web.secure, httponly=True, samesite="lax")


def forget(response: Response, web: Web) -> None:
    response.delete_cookie(_name(web), path="/", secure=web.secure, httponly=True, samesite="lax")


def _name(web: Web) -> str:
    """The prefix keeps anything but this very host from setting it; browsers allow it on https alone."""
    return f"__Host-{NAME}" if web.secure else NAME
