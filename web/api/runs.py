"""The runs of a connection."""

from uuid import UUID

from fastapi import APIRouter

from storage import connections, runs
from web.api.objects import Items, Run
from web.api.paging import Cursor, Limit, unknown_cursor
from web.state import InWorkshop

router = APIRouter(tags=["runs"])


@router.get("/connections/{connection_id}/runs")
async def list_runs(connection_id: UUID, workshop: InWorkshop, limit: Limit = 50, cursor: Cursor = None) -> Items[Run]:
    """The runs of this connection, newest first."""
    await connections.get(workshop.db, connection_id)
    found = await runs.listing(workshop.db, connection_id, limit=limit + 1, before=_run(cursor))
    shown = [Run(**row) for row in found[:limit]]
    return Items(items=shown, next=str(shown[-1].id) if len(found) > limit else None)


def _run(cursor: str | None) -> UUID | None:
    try:
        return UUID(cursor) if cursor else None
    except ValueError:
        raise unknown_cursor() from None
