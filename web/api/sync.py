"""Starting syncs."""

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from connectors.registry import get
from deployments.errors import ProblemError
from deployments.start import start_sync
from storage import connections
from storage.errors import NotActive
from storage.runs import WHY_NOT
from web.api.objects import Taken
from web.problems import RETRY_SECONDS, Problem
from web.state import InWorkshop

router = APIRouter(tags=["sync"])


class Sync(Taken):
    model_config = Taken.model_config | {"json_schema_extra": {"examples": [{"mode": "incremental"}]}}

    mode: Literal["full", "incremental"]
    streams: list[Annotated[str, Field(max_length=63)]] | None = Field(None, max_length=100, description="null: all")
    confirm_deletes: bool = Field(default=False, strict=True, description="A new full read without the deletion guard.")


class Started(BaseModel):
    flow_run_id: UUID


@router.post("/connections/{connection_id}/sync", status_code=HTTPStatus.ACCEPTED)
async def sync_connection(connection_id: UUID, asked: Sync, workshop: InWorkshop) -> Started:
    """A run of the deployment has been asked of Prefect."""
    connection = await connections.get(workshop.db, connection_id)
    known = [stream.name for stream in get(connection.connector).streams]
    if not set(asked.streams or ()) <= set(known):
        raise Problem(422, "unknown_stream", "There is no such stream.", f"There is: {', '.join(known)}.")
    if connection.state != "active":
        raise NotActive(*WHY_NOT[connection.state])
    mode: Literal["full", "incremental"] = "full" if asked.confirm_deletes else asked.mode
    try:
        run = await start_sync(connection_id, mode, "api", streams=asked.streams, confirm_deletes=asked.confirm_deletes)
    except ProblemError as error:
        raise Problem(503, error.code, error.detail, error.action, {"Retry-After": str(RETRY_SECONDS)}) from None
    return Started(flow_run_id=run)
