"""How everything stands."""

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from connectors.registry import find_connectors
from deployments.schedule import next_sync
from storage.health import histories, services
from storage.status import status
from tasks.push import showing
from web.api.objects import Services, Status
from web.state import InWeb, InWorkshop

router = APIRouter(tags=["status"])


@router.get("/status", response_model=Status)
async def read_status(workshop: InWorkshop, web: InWeb) -> Response:
    """Every connection: its state, its last and next sync, what is under way, what is wrong and what to do."""
    streams = {name: [stream.name for stream in found.streams] for name, found in find_connectors().items()}
    told = await status(workshop.db, streams, next_sync, showing(), public_url=web.public_url)
    # Written here: FastAPI's way takes longer than everything else together where there are a thousand connections.
    return Response(orjson.dumps(told), media_type="application/json")


@router.get("/health", response_model=Services)
async def read_health(workshop: InWorkshop) -> dict[str, Any]:
    """Each connector's runs of the last 24 hours."""
    return {"items": services(await histories(workshop.db), find_connectors())}
