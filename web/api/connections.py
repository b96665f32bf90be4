"""Connections: made with an API key, listed, paused and let go of."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, SecretStr
from starlette.responses import Response

from connectors.base import Connector
from storage import connection_lists, connections
from storage.pausing import set_paused
from tasks.connect import connect_api_key
from tasks.disconnect import disconnect
from web.api import paging
from web.api.objects import EXAMPLE_WITH_KEY, Connection, ConnectorName, Items, Taken, UserId, connector_named
from web.problems import Problem
from web.starting import begin_reading, begin_reading_changes
from web.state import InWorkshop

router = APIRouter(tags=["connections"])

Secret = Annotated[SecretStr, Field(min_length=1, max_length=4096)]


class Credentials(Taken):
    api_key: Secret
    webhook_secret: Secret | None = None


class NewConnection(Taken):
    model_config = Taken.model_config | {
        "json_schema_extra": {
            "examples": [{"connector": EXAMPLE_WITH_KEY, "user_id": "42", "credentials": {"api_key": "…"}}]
        }
    }

    connector: ConnectorName
    user_id: UserId
    credentials: Credentials


class Change(Taken):
    model_config = Taken.model_config | {"json_schema_extra": {"examples": [{"paused": True}]}}

    paused: bool | None = Field(None, strict=True, description="A paused connection is not synced; its rows stay.")


@router.post("/connections", status_code=HTTPStatus.CREATED, responses={200: {"model": Connection}})
async def create_connection(asked: NewConnection, workshop: InWorkshop, response: Response) -> Connection:
    """The connection of the account that this key opens; 200 and the same id if it was connected before."""
    connector = connector_named(asked.connector)
    given = {name: value.get_secret_value() for name, value in asked.credentials if value is not None}
    _check_fields(connector, given)
    connection, created = await connect_api_key(workshop.db, asked.connector, asked.user_id, given)
    await begin_reading(connection.id)
    response.status_code = HTTPStatus.CREATED if created else HTTPStatus.OK
    return Connection.model_validate(connection)


@router.get("/connections")
async def list_connections(
    workshop: InWorkshop,
    connector: Annotated[ConnectorName | None, Query()] = None,
    user_id: Annotated[UserId | None, Query()] = None,
    limit: paging.Limit = 50,
    cursor: paging.Cursor = None,
) -> Items[Connection]:
    """Connections, the oldest first; of one connector or one user if asked."""
    found, after = await connection_lists.part(
        workshop.db, limit=limit, after=paging.place(cursor), connector=connector, user_id=user_id
    )
    return Items(items=[Connection.model_validate(one) for one in found], next=paging.word(after))


@router.get("/connections/{connection_id}")
async def read_connection(connection_id: UUID, workshop: InWorkshop) -> Connection:
    """One connection."""
    return Connection.model_validate(await connections.get(workshop.db, connection_id))


@router.patch("/connections/{connection_id}")
async def change_connection(connection_id: UUID, change: Change, workshop: InWorkshop) -> Connection:
    """The connection as it is after the change."""
    before = await connections.get(workshop.db, connection_id)
    if change.paused is None:
        return Connection.model_validate(before)
    after = await set_paused(workshop.db, connection_id, paused=change.paused)
    if before.state == "paused" and after.state == "active":
        await begin_reading_changes(connection_id)
    return Connection.model_validate(after)


@router.delete("/connections/{connection_id}")
async def delete_connection(
    connection_id: UUID,
    workshop: InWorkshop,
    *,
    purge: Annotated[bool, Query(description="Delete its rows and the connection itself too.")] = False,
) -> Connection:
    """The connection, disconnected: no sync writes another row, its credentials are forgotten, its rows stay."""
    return Connection.model_validate(await disconnect(workshop.db, connection_id, purge=purge))


def _check_fields(connector: Connector, given: dict[str, str]) -> None:
    if connector.credential_fields[:1] != ("api_key",):
        raise Problem(
            422, "no_api_key", f"{connector.title} takes no API key.", "Make a link with POST /api/v1/connect-sessions."
        )
    if unknown := given.keys() - set(connector.credential_fields):
        raise Problem(
            422, "unknown_credential", f"{connector.title} takes no {', '.join(sorted(unknown))}.", "Leave it out."
        )
