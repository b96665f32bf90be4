"""What connectors answer beside the tables, each at an address of its own below the connection's."""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from connectors.errors import RateLimited, TryLater
from connectors.live import LiveRead
from connectors.registry import find_connectors
from storage import connections
from storage.errors import NotActive
from storage.runs import WHY_NOT
from tasks.workshop import Workshop
from web.problems import Problem
from web.state import InWorkshop

SECONDS = 25.0
"""A person waits for the answer."""
NOT_NOW = "{provider} does not answer properly now, so nothing was read."
SLOW_DOWN = "{provider} asked us to slow down, so nothing was read."
"""No sync reads it later, so none is promised."""


def live_reads() -> APIRouter:
    """One route for each."""
    router = APIRouter(tags=["live reads"])
    for connector in find_connectors().values():
        for read in connector.live_reads:
            router.add_api_route(
                f"/connections/{{connection_id}}/{read.name}",
                _handler(connector.name, read, read.parameters),
                name=f"read_{read.name.replace('-', '_')}",
                description=read.summary,
                response_model=dict[str, Any],
            )
    return router


def _handler(connector: str, read: LiveRead, parameters: type[BaseModel]) -> Callable[..., Awaitable[Response]]:
    async def handler(connection_id: UUID, workshop: Workshop, asked: Any) -> Response:
        records = await _read(workshop, connection_id, connector, read, asked)
        return Response(b'{"items":[' + b",".join(records) + b'],"next":null}', media_type="application/json")

    # The parameters are known only here: FastAPI reads them from the annotations.
    handler.__annotations__ |= {"workshop": InWorkshop, "asked": Annotated[parameters, Query()]}
    return handler


async def _read(workshop: Workshop, connection_id: UUID, connector: str, read: LiveRead, asked: Any) -> list[bytes]:
    connection = await connections.get(workshop.db, connection_id)
    if connection.connector != connector:
        raise Problem(
            404,
            "not_found",
            f"A connection of {connection.connector} has no {read.name}.",
            f"Ask for it of a connection of {connector}.",
        )
    if connection.state != "active":
        raise NotActive(*WHY_NOT[connection.state])
    if not read.scopes <= set(connection.scopes):
        raise Problem(
            409, "missing_scope", "The user has not granted what this needs.", "Send the user a link to reconnect."
        )
    try:
        async with workshop.source(connection, time.monotonic() + SECONDS) as source:
            return list(await read.read(source.client, asked))
    except TryLater as later:
        if "message" not in vars(later):  # else it says something of its own
            later.message = SLOW_DOWN if isinstance(later, RateLimited) else NOT_NOW
        raise
