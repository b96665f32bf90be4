"""The page on which a user decides: looking at it changes nothing, its button begins."""

from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectors.base import Connector
from connectors.errors import ConnectorError
from connectors.oauth import OAuthConnector
from connectors.registry import get
from deployments.web_settings import Web
from storage import connect_sessions, connections
from storage.connect_sessions import ConnectSession
from storage.connections import Connection
from storage.database import Database
from storage.errors import Conflict
from tasks import connect_oauth
from tasks.connect import connect_api_key, reconnect_api_key
from web.connect import browser, ending, outcomes
from web.connect.addresses import path, redirect_uri
from web.connect.ready import needs_key
from web.pages import page
from web.state import InWeb, InWorkshop

router = APIRouter(include_in_schema=False)

PATH = "/connect/{connector}"
LONGEST = 4096


@router.api_route(PATH, methods=["GET", "HEAD"])
async def landing(connector: str, request: Request, workshop: InWorkshop, web: InWeb) -> Response:
    """Who connects what, and what will be read. Whoever looks, a person or a scanner of links, changes nothing."""
    token = _one(request.query_params.getlist("session"))
    session = await _usable(workshop.db, connector, token)
    if isinstance(session, outcomes.Outcome):
        return session.shown()
    return await _page(workshop.db, web, session, str(token))


@router.post(PATH)
async def begin(connector: str, request: Request, workshop: InWorkshop, web: InWeb) -> Response:
    """The session belongs to this browser from here on, and the browser is on its way to the provider."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    token = _one([*request.query_params.getlist("session"), *form.get("session", [])])
    session = await _usable(workshop.db, connector, token)
    if isinstance(session, outcomes.Outcome):
        return session.shown()
    who = browser.known(request, web) or browser.new()
    found = get(connector)
    try:
        if isinstance(found, OAuthConnector):
            response: Response = await _to_provider(workshop.db, web, found, str(token), who)
        else:
            key = _one(form.get("api_key", [])) or ""
            response = await _with_key(workshop.db, web, str(token), who, key)
    except connect_sessions.SessionRefused as refused:
        return outcomes.TURNED_AWAY[refused.code].shown()
    browser.remember(response, web, who)
    return response


async def _usable(db: Database, connector: str, token: str | None) -> ConnectSession | outcomes.Outcome:
    """The session of this link, or why it is of no use any more."""
    session = await connect_sessions.look(db, token) if token else None
    if session is None or session.connector != connector:
        return outcomes.UNKNOWN
    if session.used_at:
        return outcomes.USED
    return outcomes.EXPIRED if session.expired else session


async def _page(db: Database, web: Web, session: ConnectSession, token: str, problem: str | None = None) -> Response:
    connector = get(session.connector)
    account = await _account(db, session)
    return page(
        "landing.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        title=f"{'Reconnect' if account else 'Connect'} {connector.title}",
        provider=connector.title,
        asker=_asker(session.return_url or web.public_url),
        user_id=session.user_id,
        account=account,
        reads=_reads(connector),
        action=path(session.connector, token),
        needs_key=needs_key(connector),
        problem=problem,
        expires=session.expires_at,
    )


async def _to_provider(db: Database, web: Web, connector: OAuthConnector, token: str, who: str) -> Response:
    back = redirect_uri(web.public_url, connector.name)
    try:
        where = await connect_oauth.begin(db, token, who, connector=connector, redirect_uri=back)
    except ConnectorError as error:
        return outcomes.failed(connector.title, HTTPStatus.SERVICE_UNAVAILABLE, str(error)).shown()
    return RedirectResponse(where, HTTPStatus.SEE_OTHER)


async def _with_key(db: Database, web: Web, token: str, who: str, key: str) -> Response:
    """The account that the key opens is connected; a key that is refused may be corrected on the same page."""
    session = await connect_sessions.take(db, token, who)
    title = get(session.connector).title
    try:
        connection = await _connected(db, session, key)
    except ConnectorError as error:
        await connect_sessions.give_back(db, session.id)
        return await _page(db, web, session, token, problem=str(error))
    except Conflict as error:
        outcome = outcomes.wrong_account(title, await _account(db, session) or title)
        return await ending.end_otherwise(db, web, session, "failed", outcome, code=error.code)
    await connect_sessions.finish(db, session.id, "connected", connection_id=connection.id)
    return await ending.end_connected(web, session, connection)


async def _connected(db: Database, session: ConnectSession, key: str) -> Connection:
    credentials = {"api_key": key}
    if session.connection_id:
        return await reconnect_api_key(db, session.connection_id, credentials)
    connection, _ = await connect_api_key(db, session.connector, session.user_id, credentials)
    return connection


async def _account(db: Database, session: ConnectSession) -> str | None:
    """The name of the account that is to be reconnected, if one is."""
    return (await connections.get(db, session.connection_id)).account if session.connection_id else None


def _asker(url: str) -> str:
    """Who asks, as a person knows it: the host product's name on the web, where it has one."""
    host = urlsplit(url).hostname or ""
    named = "." in host and not host.rpartition(".")[2].isdecimal()
    return host if named else "This application"


def _reads(connector: Connector) -> tuple[str, ...]:
    """What will be read, in the connector's words; else the names of its streams."""
    if isinstance(connector, OAuthConnector):
        return connector.reads
    return tuple(stream.name.replace("_", " ").capitalize() for stream in connector.streams)


def _one(values: list[str]) -> str | None:
    """The one value that was said, be it more than once; None when there are several or none."""
    return values[0] if len(set(values)) == 1 and len(values[0]) <= LONGEST else None
