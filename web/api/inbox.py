"""The inbox and what was set aside, as support looks at them, and trying again."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request

from storage import inbox_lists, rejected
from tasks.retry_rejected import retry_rejected
from web.api.objects import ConnectorName, Items
from web.api.paging import Cursor, Limit, unknown_cursor
from web.state import InWorkshop

router = APIRouter(tags=["webhooks"])

Status = Literal["pending", "applied", "failed", "ignored"]


class WebhookEvent(BaseModel):
    """One verified delivery."""

    id: UUID
    connector: str
    connection_id: UUID | None = Field(description="null: of an account that was not connected")
    provider_event_id: str
    event_type: str | None
    status: Status
    attempts: int
    error: str | None
    error_code: str | None
    received_at: datetime
    applied_at: datetime | None


class RejectedRecord(BaseModel):
    """A record that could not be stored at all."""

    id: UUID
    connection_id: UUID
    connector: str
    stream: str
    reason: str
    attempts: int
    first_at: datetime
    last_at: datetime
    bytes: int
    beginning: str = Field(description="its first characters, as received")


class Replayed(BaseModel):
    """It will be applied again."""

    id: UUID
    status: Literal["pending"] = "pending"


class Retried(BaseModel):
    """It was tried again."""

    id: UUID
    stored: bool = Field(description="false: it is still set aside")


@router.get("/webhook-events")
async def list_webhook_events(
    workshop: InWorkshop,
    *,
    status: Annotated[Status | None, Query()] = None,
    connector: Annotated[ConnectorName | None, Query()] = None,
    connection_id: Annotated[UUID | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Items[WebhookEvent]:
    """What providers pushed, newest first."""
    found = await inbox_lists.listing(
        workshop.db,
        limit=limit + 1,
        before=_last(cursor),
        status=status,
        connector=connector,
        connection_id=connection_id,
    )
    shown = [WebhookEvent(**row) for row in found[:limit]]
    return Items(items=shown, next=str(shown[-1].id) if len(found) > limit else None)


@router.post("/webhook-events/{event_id}/replay", status_code=HTTPStatus.ACCEPTED)
async def replay_webhook_event(event_id: UUID, request: Request, workshop: InWorkshop) -> Replayed:
    """The event is applied again, soon; what is newer here stays as it is."""
    replayed = await inbox_lists.replay(workshop.db, str(event_id))
    request.app.state.waking.wake()
    return Replayed(id=replayed)


@router.get("/rejected-records")
async def list_rejected_records(
    workshop: InWorkshop, limit: Limit = 50, cursor: Cursor = None
) -> Items[RejectedRecord]:
    """What could not be stored at all and was set aside, newest first."""
    found = await rejected.listing(workshop.db, limit=limit + 1, before=_last(cursor))
    shown = [RejectedRecord(**row) for row in found[:limit]]
    return Items(items=shown, next=str(shown[-1].id) if len(found) > limit else None)


@router.post("/rejected-records/{record_id}/retry", status_code=HTTPStatus.ACCEPTED)
async def retry_rejected_record(record_id: UUID, workshop: InWorkshop) -> Retried:
    """The record was tried again; either way the next sync reads it by its id."""
    result = await retry_rejected(workshop.db, str(record_id))
    return Retried(id=record_id, stored=result["stored"] == 1)


def _last(cursor: str | None) -> UUID | None:
    try:
        return UUID(cursor) if cursor else None
    except ValueError:
        raise unknown_cursor() from None
