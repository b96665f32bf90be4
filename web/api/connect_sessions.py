"""Links with which a user connects an account without the admin token."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, Field

from deployments.web_settings import Web
from storage import connect_sessions, connections
from storage.database import Database
from web.api.objects import EXAMPLE, ConnectorName, Taken, UserId, a_number, connector_named
from web.connect.addresses import link
from web.connect.ready import check_ready
from web.problems import Problem
from web.return_urls import is_allowed
from web.state import InWeb, InWorkshop

router = APIRouter(tags=["connect"])

EXPIRES_SECONDS = 900
LONGEST_SECONDS = 86_400


class ConnectSession(Taken):
    model_config = Taken.model_config | {"json_schema_extra": {"examples": [{"connector": EXAMPLE, "user_id": "42"}]}}

    connector: ConnectorName
    user_id: UserId
    return_url: Annotated[str | None, Field(description="Where the browser goes afterwards; of a known origin.")] = None
    connection_id: Annotated[UUID | None, Field(description="Reconnect this connection in place.")] = None
    expires_in: Annotated[int, BeforeValidator(a_number), Field(ge=1, le=LONGEST_SECONDS, description="Seconds.")] = (
        EXPIRES_SECONDS
    )


class Link(BaseModel):
    url: str = Field(description="For the user's browser; it works once.")
    expires_at: datetime


@router.post("/connect-sessions", status_code=HTTPStatus.CREATED)
async def create_connect_session(asked: ConnectSession, workshop: InWorkshop, web: InWeb) -> Link:
    """A link for this user to connect an account, or to reconnect the one that is named."""
    connector = connector_named(asked.connector)
    check_ready(connector)
    _check_return_url(asked.return_url, web)
    if asked.connection_id:
        await _check_connection(workshop.db, asked.connection_id, asked)
    token, expires_at = await connect_sessions.create(
        workshop.db,
        connector=asked.connector,
        user_id=asked.user_id,
        return_url=asked.return_url,
        connection_id=asked.connection_id,
        expires_in=asked.expires_in,
    )
    return Link(url=link(web.public_url, asked.connector, token), expires_at=expires_at)


def _check_return_url(url: str | None, web: Web) -> None:
    if url is not None and not is_allowed(url, web.return_origins):
        raise Problem(
            422,
            "foreign_return_url",
            "A browser may not be sent back to this `return_url`.",
            "Give an absolute address without a fragment whose origin is in SYNCLINE_RETURN_ORIGINS.",
        )


async def _check_connection(db: Database, connection_id: UUID, asked: ConnectSession) -> None:
    """Somebody else's connection is as unknown as one that does not exist."""
    connection = await connections.get(db, connection_id)
    if (connection.connector, connection.user_id) != (asked.connector, asked.user_id):
        raise connections.unknown(connection_id)
