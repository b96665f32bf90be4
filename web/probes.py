"""What machines ask: does the process live, can it work."""

from fastapi import APIRouter

from web.state import InWorkshop

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(workshop: InWorkshop) -> dict[str, str]:
    """It can work: Postgres answers. 503 otherwise; Prefect may be away, what comes in is kept."""
    async with workshop.db.connection() as conn:
        await conn.execute("SELECT 1")
    return {"status": "ready"}
