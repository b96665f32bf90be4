"""Actions as people see and settle them, and what becomes of those that nobody is sending any more."""

from typing import Any, Literal
from uuid import UUID

from psycopg import sql

from storage.database import Database
from storage.errors import Settled, UnknownId
from storage.senders import ALIVE
from storage.times import iso

ABANDONED = "The process that was doing this stopped in the middle, so it is not known whether it was done."


async def listing(
    db: Database, *, limit: int = 50, before: UUID | None = None, status: str | None = None
) -> list[dict[str, Any]]:
    """Actions as people see them, newest first; *before* is the id of the last one known already.

    What nobody is sending any more is unknown, whoever has found out.
    """
    query = """
        SELECT * FROM (
            SELECT id, connection_id, name, encode(idempotency_key_hash, 'hex') AS idempotency_key_hash,
                   CASE WHEN status = 'sending' AND NOT {alive} THEN 'unknown' ELSE status END AS status,
                   result, error, error_code, attempts, created_at, sent_at, ended_at
              FROM syncline.action
        ) AS shown
         WHERE (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(before)s::uuid IS NULL OR (created_at, id)
                < (SELECT created_at, id FROM syncline.action WHERE id = %(before)s))
         ORDER BY created_at DESC, id DESC LIMIT %(limit)s
    """
    values = {"before": before, "limit": limit, "status": status}
    async with db.connection() as conn:
        rows = await (await conn.execute(sql.SQL(query).format(alive=sql.SQL(ALIVE)), values)).fetchall()
    return [
        row
        | {name: str(row[name]) for name in ("id", "connection_id")}
        | {name: iso(row[name]) for name in ("created_at", "sent_at", "ended_at")}
        for row in rows
    ]


async def resolve(db: Database, beginning: str, status: Literal["succeeded", "failed"]) -> UUID:
    """A person has said what became of the unknown action whose id begins so; nothing will change it again.

    UnknownId when there is none or more than one; Settled when it is not unknown.
    """
    query = """
        SELECT id, status, status = 'unknown' OR (status = 'sending' AND NOT {alive}) AS open FROM syncline.action
         WHERE starts_with(id::text, lower(%s)) LIMIT 2 FOR UPDATE
    """
    change = """
        UPDATE syncline.action
        SET status = %s, sender = NULL, ended_at = now(), error = %s, error_code = %s WHERE id = %s
    """
    said = (None, None) if status == "succeeded" else ("A person has said that this did not happen.", "resolved")

    said_before = False

    async def work() -> UUID:
        nonlocal said_before
        async with db.transaction() as conn:
            found = await (await conn.execute(sql.SQL(query).format(alive=sql.SQL(ALIVE)), [beginning])).fetchall()
            if len(found) != 1:
                how_many = "More than one action has" if found else "No action has"
                raise UnknownId(f"{how_many} an id that begins with {beginning!a}.", "`syncline actions` lists them.")
            if said_before and found[0]["status"] == status:
                return UUID(str(found[0]["id"]))  # committed, and the answer was lost
            if not found[0]["open"]:
                raise Settled(
                    "This action is not unknown: there is nothing to resolve.",
                    "`syncline actions` says what became of it.",
                )
            await conn.execute(change, [status, *said, found[0]["id"]])
            said_before = True
            return UUID(str(found[0]["id"]))

    return await db.repeat(work)


async def sweep(db: Database) -> int:
    """How many actions that nobody is sending any more are unknown from now on."""
    query = """
        UPDATE syncline.action
        SET status = 'unknown', sender = NULL, ended_at = now(), error_code = 'unproved', error = %s
        WHERE status = 'sending' AND NOT {alive}
    """

    async def work() -> int:
        async with db.transaction() as conn:
            return (await conn.execute(sql.SQL(query).format(alive=sql.SQL(ALIVE)), [ABANDONED])).rowcount

    return await db.repeat(work)
