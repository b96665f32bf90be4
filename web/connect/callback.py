"""Where the provider sends the browser back to."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connectors.errors import ConnectorError, Misconfigured, TryLater
from connectors.oauth import Attempt, OAuthConnector
from connectors.registry import get
from deployments.web_settings import Web
from storage import connect_sessions, connections
from storage.connect_sessions import ConnectSession
from storage.connect_sessions import Outcome as Came
from storage.database import Database
from storage.errors import Conflict
from tasks.connect_oauth import complete
from web.connect import browser, ending, outcomes
from web.state import InWeb, InWorkshop

router = APIRouter(include_in_schema=False)

log = logging.getLogger("web")

DENIED = "access_denied"
LONGEST = 8192
UNTRUSTED = "This answer did not come from {title}, so it was not believed. Nothing was connected."
NOT_GIVEN = "{title} sent you back without the permission that was asked for. Nothing was connected."


@router.get("/connect/{connector}/callback")
async def callback(connector: str, request: Request, workshop: InWorkshop, web: InWeb) -> Response:
    """The account is connected, or the browser is told why not. Its state is used up, whatever comes of it."""
    said = {name: _one(request, name) for name in ("state", "code", "error")}
    said["iss"] = " ".join(request.query_params.getlist("iss")) if "iss" in request.query_params else None
    who = browser.known(request, web)
    if not said["state"]:
        return outcomes.STRAY.shown()
    try:
        session = await connect_sessions.take_state(workshop.db, said["state"], who or "", connector)
    except connect_sessions.SessionRefused as refused:
        log.warning("callback_refused code=%s", refused.code)
        return outcomes.SENT_BACK[refused.code].shown()
    return await _finish(workshop.db, web, session, said)


async def _finish(db: Database, web: Web, session: ConnectSession, said: Mapping[str, str | None]) -> Response:
    connector = get(session.connector)
    if not isinstance(connector, OAuthConnector):
        return outcomes.STRAY.shown()
    attempt = Attempt(session.redirect_uri or "", said["state"] or "", session.code_verifier())
    if refused := _refused(connector, attempt, said):
        came, outcome, code = refused
        return await ending.end_otherwise(db, web, session, came, outcome, code=code)
    try:
        connection, _ = await complete(db, session, said["code"] or "", attempt.state)
    except Conflict as error:
        account = (await connections.get(db, session.connection_id)).account if session.connection_id else "another"
        outcome = outcomes.wrong_account(connector.title, account)
        return await ending.end_otherwise(db, web, session, "failed", outcome, code=error.code)
    except ConnectorError as error:
        outcome = outcomes.failed(connector.title, _status(error), str(error))
        return await ending.end_otherwise(db, web, session, "failed", outcome, code=error.code)
    return await ending.end_connected(web, session, connection)


def _refused(
    connector: OAuthConnector, attempt: Attempt, said: Mapping[str, str | None]
) -> tuple[Came, outcomes.Outcome, str] | None:
    """Why this answer cannot lead to a connection, as far as it says so itself; nobody has been asked yet."""
    title = connector.title
    if said["iss"] is not None and said["iss"] != _issuer(connector, attempt):
        return "failed", outcomes.failed(title, HTTPStatus.BAD_REQUEST, UNTRUSTED.format(title=title)), "foreign_issuer"
    if said["error"] == DENIED:
        return "denied", outcomes.denied(title), DENIED
    if said["code"] is None or said["error"]:
        return "failed", outcomes.failed(title, HTTPStatus.BAD_REQUEST, NOT_GIVEN.format(title=title)), "no_code"
    return None


def _issuer(connector: OAuthConnector, attempt: Attempt) -> str:
    """What this provider calls itself if it says so (RFC 9207): the origin of the page that asks for consent."""
    parts = urlsplit(connector.authorize_url(attempt))
    return f"{parts.scheme}://{parts.netloc}"


def _status(error: ConnectorError) -> int:
    return HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, TryLater | Misconfigured) else HTTPStatus.BAD_REQUEST


def _one(request: Request, name: str) -> str | None:
    """The one value of that name; one that comes twice, or is longer than anybody's, is none."""
    values = request.query_params.getlist(name)
    return values[0] if len(values) == 1 and 0 < len(values[0]) <= LONGEST else None
