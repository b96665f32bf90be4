"""Connecting at the provider: a link for the user, and waiting until it was used."""

import asyncio
from typing import TYPE_CHECKING

from cli import output
from cli.opening import with_database

if TYPE_CHECKING:
    from uuid import UUID

    from connectors.base import Connector
    from storage.connect_sessions import ConnectSession
    from storage.connections import Connection
    from storage.database import Database

LINK_SECONDS = 900
GRACE_SECONDS = 60
"""Who pressed the button in the last moment still comes back from the provider."""
LOOK_SECONDS = 0.5


def takes_key(connector: "Connector") -> bool:
    """Whether it is connected with an API key rather than at the provider."""
    return connector.credential_fields[:1] == ("api_key",)


def connect_by_link(connector: "Connector", user: str | None, reconnect: str | None) -> "Connection":
    """The connection, once its user has used the link; ProblemError when that leads to none."""
    from connectors.oauth import OAuthConnector
    from deployments.parts import web_for_command
    from web.connect.addresses import link

    web = web_for_command()
    if isinstance(connector, OAuthConnector):
        connector.check_settings()

    async def work(db: "Database") -> "Connection":
        from storage import connect_sessions, connections

        before = await to_reconnect(db, connector, user, reconnect) if reconnect else None
        whose = before.user_id if before else str(user)
        token, _ = await connect_sessions.create(
            db,
            connector=connector.name,
            user_id=whose,
            connection_id=before.id if before else None,
            expires_in=LINK_SECONDS,
        )
        output.say(f"Open this link within 15 minutes to connect {connector.title} for user {whose}:")
        output.say(f"  {link(web, connector.name, token)}")
        output.say("⟳ Waiting for the answer (Ctrl-C is safe, the link stays valid) …")
        return await connections.get(db, await _connection_of(db, connector, token))

    connection = with_database(work)
    output.success(f"Connected: {connector.title} {connection.account}")
    return connection


async def to_reconnect(db: "Database", connector: "Connector", user: str | None, beginning: str) -> "Connection":
    """The connection that is to be connected anew; wrong use when it is another connector's or user's."""
    from deployments.errors import ProblemError
    from storage import connections

    before = await connections.find(db, beginning)
    if before.connector != connector.name:
        action = f"Use: connect {before.connector}"
        raise ProblemError("usage", f"{before.id} is a connection of {before.connector}.", action)
    if user and before.user_id != user:
        action = "Leave out --user, or connect without --reconnect."
        raise ProblemError("usage", f"{before.id} belongs to another user.", action)
    return before


async def _connection_of(db: "Database", connector: "Connector", token: str) -> "UUID":
    """What came of the link."""
    from datetime import UTC, datetime, timedelta

    from deployments.errors import ProblemError
    from storage import connect_sessions

    again = f"Run `syncline connect {connector.name}` again for a new link."
    while True:
        session = await connect_sessions.look(db, token)
        if session is None:
            raise ProblemError("link_expired", "The link is gone; nothing was connected.", again)
        if session.outcome:
            return _told(session, connector, again)
        if datetime.now(UTC) > session.expires_at + timedelta(seconds=GRACE_SECONDS):
            raise ProblemError("link_expired", "The link has expired unused; nothing was connected.", again)
        await asyncio.sleep(LOOK_SECONDS)


def _told(session: "ConnectSession", connector: "Connector", again: str) -> "UUID":
    from deployments.errors import ProblemError

    if session.result_connection_id and session.outcome == "connected":
        return session.result_connection_id
    if session.outcome == "denied":
        raise ProblemError("access_denied", f"The user did not allow access at {connector.title}.", again)
    raise ProblemError("not_connected", session.error or f"{connector.title} was not connected.", again)
