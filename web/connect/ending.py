"""The end of the way: what came of a session is kept, and the browser is told or sent back."""

from http import HTTPStatus
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from connectors.oauth import OAuthConnector
from connectors.registry import get
from deployments.web_settings import Web
from storage import connect_sessions
from storage.connect_sessions import ConnectSession
from storage.connect_sessions import Outcome as Came
from storage.connections import Connection
from storage.database import Database
from web.connect.outcomes import Outcome, connected, connected_in_part
from web.return_urls import is_allowed, with_result
from web.starting import begin_reading


async def end_connected(web: Web, session: ConnectSession, connection: Connection) -> Response:
    """The account is connected: its first full sync has been asked for."""
    await begin_reading(connection.id)
    connector = get(connection.connector)
    in_part = isinstance(connector, OAuthConnector) and not set(connector.asked_scopes) <= set(connection.scopes)
    outcome = (connected_in_part if in_part else connected)(connector.title, connection.account)
    return _told(web, session, "connected", outcome, connection.id)


async def end_otherwise(
    db: Database, web: Web, session: ConnectSession, came: Came, outcome: Outcome, *, code: str
) -> Response:
    """Nothing was connected; a connection that was to be made anew is as it was."""
    await connect_sessions.finish(db, session.id, came, error=outcome.sentences[0], error_code=code)
    return _told(web, session, came, outcome, session.connection_id)


def _told(web: Web, session: ConnectSession, came: Came, outcome: Outcome, connection_id: UUID | None) -> Response:
    """Origins may have been taken off the list since the link was made, so they are looked at again."""
    if session.return_url and is_allowed(session.return_url, web.return_origins):
        known = str(connection_id) if connection_id else None
        return RedirectResponse(with_result(session.return_url, came, known), HTTPStatus.SEE_OTHER)
    return outcome.shown()
