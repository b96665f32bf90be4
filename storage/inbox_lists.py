"""The inbox as people see it, and what they have applied again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from storage.database import Database
from storage.errors import Unconnected, UnknownId
from storage.times import iso

_AGAIN = "SET status = 'pending', attempts = 0, due_at = now(), applied_at = NULL, error = NULL, error_code = NULL"


async def listing(
    db: Database,
    *,
    limit: int = 50,
    before: UUID | None = None,
    status: str | None = None,
    connector: str | None = None,
    connection_id: UUID | None = None,
) -> list[dict[str, Any]]:
    """Events, newest first; *before* is the id of the last one known already."""
    query = """
        SELECT id, connector, connection_id, provider_event_id, event_type, status, attempts, error, error_code,
               received_at, applied_at
          FROM syncline.webhook_event
         WHERE (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(connector)s::text IS NULL OR connector = %(connector)s)
           AND (%(connection)s::uuid IS NULL OR connection_id = %(connection)s)
           AND (%(before)s::uuid IS NULL OR (received_at, id)
                < (SELECT received_at, id FROM syncline.webhook_event WHERE id = %(before)s))
         ORDER BY received_at DESC, id DESC LIMIT %(limit)s
    """
    values = {"limit": limit, "before": before, "status": status, "connector": connector, "connection": connection_id}
    async with db.connection() as conn:
        rows = await (await conn.execute(query, values)).fetchall()
    return [
        row
        | {"id": str(row["id"]), "connection_id": str(row["connection_id"]) if row["connection_id"] else None}
        | {name: iso(row[name]) for name in ("received_at", "applied_at")}
        for row in rows
    ]


async def replay(db: Database, beginning: str) -> UUID:
    """The event whose id begins so is applied again by whoever drains the inbox next.

    UnknownId when there is none or more than one; Unconnected when it is of no connected account.
    """
    find = """
        SELECT id, connection_id FROM syncline.webhook_event WHERE starts_with(id::text, lower(%s)) LIMIT 2 FOR UPDATE
    """

    async def work() -> UUID:
        async with db.transaction() as conn:
            found = await (await conn.execute(find, [beginning])).fetchall()
            if len(found) != 1:
                how_many = "More than one event has" if found else "No event has"
                raise UnknownId(f"{how_many} an id that begins with {beginning!a}.", "`syncline webhooks` lists them.")
            if found[0]["connection_id"] is None:
                raise Unconnected(
                    "This event is of an account that was not connected: there is nothing to apply.",
                    "Connect the account: a full sync brings what the event was about.",
                )
            await conn.execute(f"UPDATE syncline.webhook_event {_AGAIN} WHERE id = %s", [found[0]["id"]])
            return UUID(str(found[0]["id"]))

    return await db.repeat(work)


async def replay_all(db: Database, *, failed: bool = False, since: datetime | None = None) -> int:
    """How many events are applied again: those that failed, or all that were received since then."""
    query = f"""
        UPDATE syncline.webhook_event {_AGAIN}
         WHERE connection_id IS NOT NULL AND status <> 'ignored'
           AND (NOT %(failed)s OR status = 'failed') AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
    """

    async def work() -> int:
        async with db.connection() as conn:
            return (await conn.execute(query, {"failed": failed, "since": since})).rowcount

    return await db.repeat(work)
