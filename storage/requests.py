"""The book of requests to providers: never a query, a header or a body."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from uuid import UUID

from storage.database import Database

SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request: `route` is the path's template, `status` None when there was no answer."""

    connector: str
    connection_id: UUID | None
    method: str
    route: str
    status: int | None
    duration_ms: int
    error: str | None
    at: datetime
    waited_ms: int = 0
    """For the rate limit, before it was sent."""

    @property
    def is_server_error(self) -> bool:
        """The service has failed, or has not answered at all."""
        return self.error != "cancelled" and (self.status is None or self.status >= SERVER_ERROR)


async def store(db: Database, requests: Sequence[ApiRequest]) -> None:
    """All of them are in the book, or none."""
    if not requests:
        return
    copy = """
        COPY syncline.api_request (connector, connection_id, method, route, status, duration_ms, error, at, waited_ms)
        FROM STDIN
    """
    async with db.transaction() as conn, conn.cursor() as cursor, cursor.copy(copy) as rows:
        for r in requests:
            await rows.write_row(astuple(r))
