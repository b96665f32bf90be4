"""Logging in and out. Looking at a one-time link uses nothing up: scanners of links open them too."""

import hmac
import logging
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import parse_qs

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deployments.web_settings import Web
from storage import logins
from storage.database import Database
from web.login import session
from web.login.session import PAGE
from web.pages import page
from web.state import InWeb, InWorkshop

router = APIRouter(include_in_schema=False)
log = logging.getLogger("web")

LONGEST = 512
WRONG_TOKEN = "This is not the admin token."  # noqa: S105 -- a sentence
USED_LINK = "This link was used already, or its ten minutes are over. `syncline login` prints another."
TOO_MANY = "That were too many tries. Wait a minute, then try again."


@router.api_route(PAGE, methods=["GET", "HEAD"])
async def ask(request: Request) -> Response:
    """The question for the token; for a one-time link only its button."""
    return _page(_one(request.query_params.getlist("once")), _next(request))


@router.post(PAGE)
async def log_in(request: Request, workshop: InWorkshop, web: InWeb) -> Response:
    """A session of this browser's own, whatever it brought along."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=8)
    once, token = _one(form.get("once", [])), _one(form.get("token", []))
    client = request.client.host if request.client else "-"
    if not await logins.may_try(workshop.db, client):
        log.warning("login refused=too_many client=%s", client)
        return _page(once, _next(request), TOO_MANY, HTTPStatus.TOO_MANY_REQUESTS)
    if not await _is_let_in(workshop.db, web, once, token):
        log.warning("login refused=%s client=%s", "link" if once else "token", client)
        return _page(None, _next(request), USED_LINK if once else WRONG_TOKEN, HTTPStatus.UNPROCESSABLE_ENTITY)
    if before := session.secret(request, web):
        await logins.log_out(workshop.db, before)
    response = RedirectResponse(_next(request), HTTPStatus.SEE_OTHER)
    session.remember(response, web, await logins.log_in(workshop.db, web.admin_token))
    log.info("login client=%s", client)
    return response


@router.post("/logout")
async def log_out(request: Request, workshop: InWorkshop, web: InWeb) -> Response:
    """The session is over, here and in the database."""
    if token := session.secret(request, web):
        await logins.log_out(workshop.db, token)
    response = RedirectResponse(PAGE, HTTPStatus.SEE_OTHER)
    session.forget(response, web)
    return response


async def _is_let_in(db: Database, web: Web, once: str | None, token: str | None) -> bool:
    if once:
        return await logins.use_link(db, once)
    # Of hashes, so that the time taken tells nothing of the token, not even its length.
    given, wanted = (sha256(text.strip().encode()).digest() for text in (token or "", web.admin_token))
    return hmac.compare_digest(given, wanted)


def _page(once: str | None, where: str, problem: str | None = None, status: int = HTTPStatus.OK) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "60"} if status == HTTPStatus.TOO_MANY_REQUESTS else {})
    return page(
        "login.html", status=status, headers=headers, title="Log in", once=once, problem=problem, action=_action(where)
    )


def _action(where: str) -> str:
    return PAGE if where == "/" else f"{PAGE}?next={where}"


def _next(request: Request) -> str:
    """The page to go on to: a plain path of ours, else the status page."""
    said = _one(request.query_params.getlist("next")) or "/"
    plain = said.startswith("/") and not said.startswith("//") and said.replace("/", "").replace("-", "").isalnum()
    return said if plain and said.isascii() else "/"


def _one(values: list[str]) -> str | None:
    return values[0] if len(values) == 1 and 0 < len(values[0]) <= LONGEST else None
