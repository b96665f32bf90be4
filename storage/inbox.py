"""The inbox: verified deliveries, each stored before it is acknowledged, and what has become of them.

Whoever takes events moves their `due_at` a minute on. If it dies they are due again then, and applied again, which
changes nothing that was applied already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from storage.checkpoints import Statement
from storage.database import Database
from storage.locks import drain_lock_held

CHANNEL = "syncline_inbox"
"""Listened to by the run that drains the inbox; told by whoever has stored something."""

LEASE_SECONDS = 60
MOST_ATTEMPTS = 8
FIRST_WAIT_SECONDS = 10
LONGEST_WAIT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event to be stored; `connection_id` None stands for an account that is not connected."""

    connector: str
    connection_id: UUID | None
    provider_event_id: str
    event_type: str | None
    body: bytes = field(repr=False)
    said: Mapping[str, Any] = field(default_factory=dict)
    status: Literal["pending", "failed", "ignored"] = "pending"
    error: str | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """One event that is to be applied now; `attempts` counts this one."""

    id: UUID
    connector: str
    connection_id: UUID
    event_type: str | None
    body: bytes = field(repr=False)
    said: Mapping[str, Any]
    received_at: datetime
    attempts: int


async def store(db: Database, arrivals: Sequence[Arrival]) -> list[bool]:
    """All of them are committed when this returns; one that is there already stays as it is.

    False stands for an arrival whose connection has been disconnected or purged: it was not stored.
    """
    query = """
        WITH given AS (
            SELECT * FROM unnest(
                %(connectors)s::text[], %(connections)s::uuid[], %(ids)s::text[], %(types)s::text[],
                %(bodies)s::bytea[], %(said)s::jsonb[], %(statuses)s::text[], %(errors)s::text[], %(codes)s::text[]
            ) WITH ORDINALITY
              AS g(connector, connection_id, event_id, event_type, body, said, status, error, error_code, n)
        ), living AS MATERIALIZED (
            SELECT id FROM syncline.connection
             WHERE id = ANY(%(connections)s::uuid[]) AND state <> 'disconnected' FOR KEY SHARE
        ), kept AS (
            SELECT g.* FROM given g LEFT JOIN living l ON l.id = g.connection_id
             WHERE g.connection_id IS NULL OR l.id IS NOT NULL
        ), stored AS (
            INSERT INTO syncline.webhook_event
                   (connector, connection_id, provider_event_id, event_type, body, said, status, error, error_code)
            SELECT connector, connection_id, event_id, event_type, body, said, status, error, error_code
              FROM kept ORDER BY n
            ON CONFLICT (connector, connection_id, provider_event_id) DO NOTHING
        )
        SELECT n FROM kept
    """
    values = {
        "connectors": [one.connector for one in arrivals],
        "connections": [one.connection_id for one in arrivals],
        "ids": [one.provider_event_id for one in arrivals],
        "types": [one.event_type for one in arrivals],
        "bodies": [one.body for one in arrivals],
        "said": [Jsonb(dict(one.said)) for one in arrivals],
        "statuses": [one.status for one in arrivals],
        "errors": [one.error for one in arrivals],
        "codes": [one.error_code for one in arrivals],
    }
    async with db.connection() as conn:
        kept = {row["n"] for row in await (await conn.execute(query, values, prepare=True)).fetchall()}
    return [n in kept for n in range(1, len(arrivals) + 1)]


async def take(
    db: Database,
    *,
    limit: int,
    connector: str | None = None,
    connection_id: UUID | None = None,
    busy: Sequence[UUID] = (),
) -> list[Taken]:
    """Events that are due, the oldest first, for this process alone to apply within a minute.

    Only of connections that are active, and not `busy`: what comes for a paused one waits.
    """
    query = """
        UPDATE syncline.webhook_event e SET due_at = now() + make_interval(secs => %(lease)s), attempts = attempts + 1
         WHERE id IN (
            SELECT e.id FROM syncline.webhook_event e JOIN syncline.connection c ON c.id = e.connection_id
             WHERE e.status = 'pending' AND e.due_at <= now() AND c.state = 'active'
               AND (%(connector)s::text IS NULL OR e.connector = %(connector)s)
               AND (%(connection)s::uuid IS NULL OR e.connection_id = %(connection)s)
               AND e.connection_id <> ALL (%(busy)s::uuid[])
             ORDER BY e.received_at, e.id LIMIT %(limit)s FOR UPDATE OF e SKIP LOCKED)
        RETURNING id, connector, connection_id, event_type, body, said, received_at, attempts
    """
    values: dict[str, Any] = {
        "lease": LEASE_SECONDS,
        "connector": connector,
        "connection": connection_id,
        "limit": limit,
    }
    values |= {"busy": list(busy)}

    async def work() -> list[Taken]:
        async with db.connection() as conn:
            rows = await (await conn.execute(query, values)).fetchall()
        return sorted((Taken(**row) for row in rows), key=lambda event: (event.received_at, event.id))

    return await db.repeat(work)


def applied(ids: Sequence[UUID]) -> Statement:
    """These events have been applied, with what was committed before."""
    query = """
        UPDATE syncline.webhook_event
           SET status = 'applied', applied_at = clock_timestamp(), error = NULL, error_code = NULL
         WHERE id = ANY(%(ids)s) AND status = 'pending'
    """
    return Statement(f"applied {ids[0]}", query, {"ids": list(ids)})


async def put_off(db: Database, ids: Sequence[UUID], seconds: float) -> None:
    """These events could not even be tried: they are due again after so long."""
    query = """
        UPDATE syncline.webhook_event
           SET due_at = now() + make_interval(secs => %s), attempts = greatest(attempts - 1, 0)
         WHERE id = ANY(%s) AND status = 'pending'
    """
    await _change(db, query, [seconds, list(ids)])


async def failed(db: Database, ids: Sequence[UUID], sentence: str, *, code: str, for_good: bool = False) -> None:
    """These events were tried in vain: they are tried again later, and after so many times no more by themselves."""
    query = """
        UPDATE syncline.webhook_event
           SET status = CASE WHEN %(for_good)s OR attempts >= %(most)s THEN 'failed' ELSE 'pending' END,
               due_at = now() + make_interval(secs => least(%(first)s * power(3, attempts - 1), %(longest)s)),
               error = %(error)s, error_code = %(code)s
         WHERE id = ANY(%(ids)s) AND status = 'pending'
    """
    values = {"ids": list(ids), "error": sentence, "code": code, "for_good": for_good}
    values |= {"most": MOST_ATTEMPTS, "first": FIRST_WAIT_SECONDS, "longest": LONGEST_WAIT_SECONDS}
    await _change(db, query, values)


async def waiting(db: Database) -> bool:
    """Whether there is anything that a run could apply now."""
    query = """
        SELECT EXISTS (
            SELECT FROM syncline.webhook_event e JOIN syncline.connection c ON c.id = e.connection_id
             WHERE e.status = 'pending' AND e.due_at <= now() AND c.state = 'active') AS found
    """
    async with db.connection() as conn:
        row = await (await conn.execute(query)).fetchone()
    return bool(row and row["found"])


async def is_draining(db: Database) -> bool:
    """Whether a run that drains the inbox is alive."""
    async with db.connection() as conn:
        row = await (await conn.execute(drain_lock_held())).fetchone()
    return bool(row and row["held"])


async def tell(db: Database) -> None:
    """The run that drains the inbox, if there is one, looks at once."""
    async with db.connection() as conn:
        await conn.execute("SELECT pg_notify(%s, '')", [CHANNEL])


async def _change(db: Database, query: Any, values: Any) -> None:
    async def work() -> None:
        async with db.connection() as conn:
            await conn.execute(query, values)

    await db.repeat(partial(work))
