"""Sync runs: one at a time per connection, and nobody writes who was taken over from.

Whoever holds a connection's run lock runs. Taking the lock raises the connection's epoch, and every data transaction
looks whether the epoch is still its own: a run that lost its lock without noticing can write nothing more.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any, Literal
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from storage.database import Conn, Database
from storage.errors import Fenced, NotActive, StorageError, UnknownId
from storage.locks import free_run_lock, run_lock_held, take_run_lock, write_lock
from storage.times import iso

Mode = Literal["full", "incremental", "webhook"]
Trigger = Literal["schedule", "manual", "api", "cli", "webhook"]
Outcome = Literal["done", "continued", "skipped", "needs_confirmation", "failed", "crashed"]

WHY_NOT = {
    "paused": ("This connection is paused.", "Resume it, then sync."),
    "needs_reconnect": ("This connection needs its user to sign in again.", "Reconnect it, then sync."),
    "disconnected": ("This connection is disconnected.", "Connect the account again, then sync."),
}
CRASHED = "This sync stopped in the middle. Nothing is lost: the next one goes on where it stopped."

CLOSE_CRASHED = """
    UPDATE syncline.sync_run
    SET outcome = 'crashed', ended_at = clock_timestamp(), progress = NULL, error = %s, error_code = 'crashed'
    WHERE outcome IS NULL
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One sync of one connection, and the epoch that it may write under."""

    id: UUID
    connection_id: UUID
    epoch: int | None
    """None: it only takes turns with whoever holds the run lock, as what applies webhooks does."""
    flow_run_id: UUID | None


@dataclass(frozen=True, slots=True)
class _Start:
    """What a run will be noted as; its id is chosen beforehand, so that noting it twice is noting it once."""

    run_id: UUID
    connection_id: UUID
    flow_run_id: UUID | None
    mode: Mode
    trigger: Trigger


@asynccontextmanager
async def take_run(
    db: Database,
    connection_id: UUID,
    *,
    mode: Mode,
    trigger: Trigger,
    flow_run_id: UUID | None = None,
    wait: float = 0,
) -> AsyncIterator[Run | None]:
    """The only run of this connection, to the end of the block; None when another one goes on past *wait* seconds.

    Then a `skipped` run is noted, and a full sync leaves the connection `full_due`. A run that leaves the block
    without `end` is noted as `crashed`. Raises NotActive and UnknownId.
    """
    start = _Start(uuid4(), connection_id, flow_run_id, mode, trigger)
    async with db.session() as session:
        if not await take_run_lock(session, connection_id, wait=wait):
            await db.repeat(partial(_note_skipped, db, start))
            yield None
            return
        try:
            run = await db.repeat(partial(_begin, db, start))
            try:
                yield run
            finally:
                await _close(db, run)
        finally:
            with suppress(psycopg.Error):  # the session is gone, and the lock with it
                await free_run_lock(session, connection_id)


async def fence(conn: Conn, run: Run) -> int:
    """The connection's last change_seq; Fenced unless this run may still write.

    Comes after `write_lock` and before the first write, in the same transaction.
    """
    query = "SELECT epoch, state, change_seq FROM syncline.connection WHERE id = %s"
    row = await (await conn.execute(query, [run.connection_id])).fetchone()
    if row is None:
        raise Fenced("This connection was removed while it was syncing.")
    if row["state"] != "active":
        raise Fenced(*WHY_NOT[row["state"]])
    if run.epoch is not None and row["epoch"] != run.epoch:
        raise Fenced("Another sync of this connection has taken over.")
    return int(row["change_seq"])


async def progress(db: Database, run: Run, progress: Mapping[str, Any], counts: Mapping[str, Any]) -> None:
    """The run shows how far each of its streams has come."""
    query = "UPDATE syncline.sync_run SET progress = %s, counts = %s WHERE id = %s AND outcome IS NULL"
    async with db.connection() as conn:
        await conn.execute(query, [Jsonb(progress), Jsonb(counts), run.id])


async def end(
    db: Database,
    run: Run,
    outcome: Outcome,
    counts: Mapping[str, Any],
    *,
    error: str | None = None,
    error_code: str | None = None,
    notes: Sequence[str] = (),
) -> None:
    """The run has ended so. What a run says of itself goes before `crashed`, which others said of it."""
    query = """
        UPDATE syncline.sync_run
        SET outcome = %s, counts = %s, error = %s, error_code = %s, notes = %s, ended_at = now(), progress = NULL
        WHERE id = %s AND (outcome IS NULL OR outcome = 'crashed')
    """

    async def work() -> None:
        async with db.connection() as conn:
            await conn.execute(query, [outcome, Jsonb(counts), error, error_code, Jsonb(list(notes)), run.id])

    await db.repeat(work)


async def note_webhook(db: Database, run: Run, trigger: Trigger, counts: Mapping[str, Any], error: str | None) -> None:
    """What webhooks have changed so far in this run, which holds no lock and so is never open."""
    query = """
        INSERT INTO syncline.sync_run
               (id, connection_id, flow_run_id, mode, trigger, epoch, outcome, ended_at, counts, error)
        SELECT %(id)s, id, %(flow_run)s, 'webhook', %(trigger)s, epoch, %(outcome)s, now(), %(counts)s, %(error)s
          FROM syncline.connection WHERE id = %(connection)s
        ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, ended_at = now(), counts = excluded.counts,
                                       error = excluded.error
    """
    values: dict[str, Any] = {
        "id": run.id,
        "connection": run.connection_id,
        "flow_run": run.flow_run_id,
        "trigger": trigger,
    }
    values |= {"outcome": "failed" if error else "done", "counts": Jsonb(dict(counts)), "error": error}

    async def work() -> None:
        async with db.connection() as conn:
            await conn.execute(query, values)

    await db.repeat(work)


async def sweep(db: Database) -> list[Run]:
    """Runs that nobody holds the lock of are closed as `crashed`, and fenced; these were they."""
    query = sql.SQL("SELECT DISTINCT connection_id FROM syncline.sync_run WHERE outcome IS NULL AND NOT ({})").format(
        run_lock_held("connection_id")
    )
    async with db.connection() as conn:
        left_behind = [row["connection_id"] async for row in await conn.execute(query)]
    return [run for connection_id in left_behind for run in await db.repeat(partial(_sweep_one, db, connection_id))]


async def listing(
    db: Database, connection_id: UUID, *, limit: int = 50, before: UUID | None = None
) -> list[dict[str, Any]]:
    """A connection's runs, newest first; *before* is the id of the last one that is known already."""
    query = """
        SELECT id, flow_run_id, mode, trigger, outcome, started_at, ended_at, counts AS streams, error
        FROM syncline.sync_run
        WHERE connection_id = %s
          AND (%s::uuid IS NULL
               OR (started_at, id) < (SELECT started_at, id FROM syncline.sync_run WHERE id = %s))
        ORDER BY started_at DESC, id DESC LIMIT %s
    """
    async with db.connection() as conn:
        rows = await (await conn.execute(query, [connection_id, before, before, limit])).fetchall()
    return [
        row
        | {"id": str(row["id"]), "flow_run_id": str(row["flow_run_id"]) if row["flow_run_id"] else None}
        | {"started_at": iso(row["started_at"]), "ended_at": iso(row["ended_at"])}
        for row in rows
    ]


async def _begin(db: Database, start: _Start) -> Run:
    raise_epoch = "UPDATE syncline.connection SET epoch = epoch + 1 WHERE id = %s AND state = 'active' RETURNING epoch"
    # Done again after a COMMIT whose answer was lost, this finds its own row.
    note = """
        INSERT INTO syncline.sync_run (id, connection_id, flow_run_id, mode, trigger, epoch)
        VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch
    """
    async with db.transaction() as conn:
        await write_lock(conn, start.connection_id)
        row = await (await conn.execute(raise_epoch, [start.connection_id])).fetchone()
        if row is None:
            raise await _why_not(conn, start.connection_id)
        await conn.execute(
            CLOSE_CRASHED + "AND connection_id = %s AND id <> %s", [CRASHED, start.connection_id, start.run_id]
        )
        await conn.execute(note, [*astuple(start), row["epoch"]])
    return Run(start.run_id, start.connection_id, row["epoch"], start.flow_run_id)


async def _note_skipped(db: Database, start: _Start) -> None:
    note = """
        INSERT INTO syncline.sync_run (id, connection_id, flow_run_id, mode, trigger, epoch, outcome, ended_at)
        SELECT %s, id, %s, %s, %s, epoch, 'skipped', now() FROM syncline.connection WHERE id = %s
        ON CONFLICT (id) DO NOTHING
    """
    async with db.transaction() as conn:
        await conn.execute(note, [start.run_id, start.flow_run_id, start.mode, start.trigger, start.connection_id])
        if start.mode == "full":
            await conn.execute("UPDATE syncline.connection SET full_due = true WHERE id = %s", [start.connection_id])


async def _close(db: Database, run: Run) -> None:
    """Nothing here may hide the error that ended the run; whoever comes next closes what this could not."""
    with suppress(psycopg.Error, StorageError):
        async with db.connection() as conn:
            await conn.execute(CLOSE_CRASHED + "AND id = %s", [CRASHED, run.id])


async def _sweep_one(db: Database, connection_id: UUID) -> list[Run]:
    raise_epoch = sql.SQL("UPDATE syncline.connection SET epoch = epoch + 1 WHERE id = %s AND NOT ({})").format(
        run_lock_held("id")
    )
    close = CLOSE_CRASHED + "AND connection_id = %s RETURNING id, connection_id, epoch, flow_run_id"
    async with db.transaction() as conn:
        await write_lock(conn, connection_id)
        if (await conn.execute(raise_epoch, [connection_id])).rowcount == 0:
            return []  # somebody has taken the connection's next run since
        return [Run(**row) async for row in await conn.execute(close, [CRASHED, connection_id])]


async def _why_not(conn: Conn, connection_id: UUID) -> StorageError:
    row = await (await conn.execute("SELECT state FROM syncline.connection WHERE id = %s", [connection_id])).fetchone()
    if row is None:
        return UnknownId(f"There is no connection {connection_id}.", "`syncline connections` lists them.")
    return NotActive(*WHY_NOT[row["state"]])
