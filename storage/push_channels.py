"""Channels and watches by which providers push: made here first, so that a delivery by one is known at once."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from storage.database import Database

RETRY_REFUSED_HOURS = 24
"""A provider that refuses to push something is asked again after so long."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a delivery's channel is for."""

    connection_id: UUID
    subject: str
    token_hash: bytes

    def is_token(self, token: str) -> bool:
        """Whether that is the secret this channel was given; takes as long either way."""
        return hmac.compare_digest(_hash(token), self.token_hash)


@dataclass(frozen=True, slots=True)
class PushChannel:
    """One channel or watch."""

    id: str
    connection_id: UUID
    subject: str
    resource_id: str | None
    state: str
    expires_at: datetime | None


async def claimed(db: Database, connector: str, channel_id: str) -> Known | None:
    """The channel of that id; None when there is none, when it was stopped, or when its connection has left."""
    query = """
        SELECT p.connection_id, p.subject, p.token_hash
          FROM syncline.push_channel p JOIN syncline.connection c ON c.id = p.connection_id
         WHERE p.id = %s AND p.state IN ('active', 'failed') AND c.connector = %s AND c.state <> 'disconnected'
    """
    async with db.connection() as conn:
        row = await (await conn.execute(query, [channel_id, connector], prepare=True)).fetchone()
    return Known(row["connection_id"], row["subject"], bytes(row["token_hash"])) if row else None


async def begin(db: Database, connection_id: UUID, subject: str) -> tuple[str, str]:
    """The id and the secret of a channel that is about to be asked for. Only the secret's hash is kept."""
    query = """
        INSERT INTO syncline.push_channel (id, connection_id, subject, token_hash, state)
        VALUES (%s, %s, %s, %s, 'active')
    """
    channel_id, token = str(uuid4()), secrets.token_urlsafe(32)
    async with db.connection() as conn:
        await conn.execute(query, [channel_id, connection_id, subject, _hash(token)])
    return channel_id, token


async def made(db: Database, channel_id: str, *, expires_at: datetime, resource_id: str | None) -> None:
    """The provider pushes by it until then."""
    query = "UPDATE syncline.push_channel SET expires_at = %s, resource_id = %s, error = NULL WHERE id = %s"
    await _change(db, query, [expires_at, resource_id, channel_id])


async def not_made(db: Database, channel_id: str, state: str, sentence: str) -> None:
    """The provider has `refused` for good, or it `failed` for now."""
    await _change(
        db, "UPDATE syncline.push_channel SET state = %s, error = %s WHERE id = %s", [state, sentence, channel_id]
    )


async def stopped(db: Database, channel_ids: Sequence[str]) -> None:
    """Nothing that comes by these is taken any more."""
    await _change(db, "UPDATE syncline.push_channel SET state = 'stopped' WHERE id = ANY(%s)", [list(channel_ids)])


async def of_connection(db: Database, connection_id: UUID) -> list[PushChannel]:
    """All of a connection's that are not stopped, the newest first."""
    query = """
        SELECT id, connection_id, subject, resource_id, state, expires_at FROM syncline.push_channel
         WHERE connection_id = %s AND state <> 'stopped' ORDER BY created_at DESC, id
    """
    async with db.connection() as conn:
        return [PushChannel(**row) async for row in await conn.execute(query, [connection_id])]


async def lacking(
    db: Database, connection_id: UUID, subjects: Sequence[str], *, renew_seconds: float
) -> tuple[list[str], list[PushChannel]]:
    """The subjects that need a channel, because they have none that lives long enough; and the channels to be stopped
    once they have one, with those whose subject is gone.

    What was refused within a day, or what failed a minute ago, is left alone.
    """
    query = """
        SELECT id, connection_id, subject, resource_id, state, expires_at,
               state = 'active' AND expires_at > now() + make_interval(secs => %(renew)s) AS lasts,
               (state = 'refused' AND tried_at > now() - make_interval(hours => %(hours)s))
                   OR (state = 'failed' AND tried_at > now() - interval '1 minute')
                   OR (state = 'active' AND expires_at IS NULL AND tried_at > now() - interval '1 minute') AS left_alone
          FROM syncline.push_channel WHERE connection_id = %(connection)s AND state <> 'stopped'
    """
    values = {"renew": renew_seconds, "hours": RETRY_REFUSED_HOURS, "connection": connection_id}
    async with db.connection() as conn:
        rows = await (await conn.execute(query, values)).fetchall()
    served = {row["subject"] for row in rows if row["lasts"] or row["left_alone"]}
    needed = [subject for subject in subjects if subject not in served]
    replaced = [row for row in rows if row["subject"] in needed or row["subject"] not in subjects]
    return needed, [_channel(row) for row in replaced]


async def expiring(db: Database, connector: str, *, seconds: float) -> list[PushChannel]:
    """The newest channel of each subject, of active connections, where it ends within so long or has ended."""
    query = """
        SELECT * FROM (
            SELECT DISTINCT ON (p.connection_id, p.subject) p.id, p.connection_id, p.subject, p.resource_id, p.state,
                   p.expires_at
              FROM syncline.push_channel p JOIN syncline.connection c ON c.id = p.connection_id AND c.state = 'active'
             WHERE p.state = 'active' AND p.expires_at IS NOT NULL AND c.connector = %s
             ORDER BY p.connection_id, p.subject, p.expires_at DESC
        ) AS newest WHERE expires_at < now() + make_interval(secs => %s)
    """
    async with db.connection() as conn:
        return [PushChannel(**row) async for row in await conn.execute(query, [connector, seconds])]


async def shown(db: Database, connection_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """What status shows of these connections' channels: subject, state, error, expires_at."""
    query = """
        SELECT DISTINCT ON (connection_id, subject) connection_id, subject, state, error, expires_at
          FROM syncline.push_channel WHERE connection_id = ANY(%s) AND state <> 'stopped'
         ORDER BY connection_id, subject, created_at DESC
    """
    found: dict[UUID, list[dict[str, Any]]] = {}
    async with db.connection() as conn:
        async for row in await conn.execute(query, [list(connection_ids)]):
            found.setdefault(row.pop("connection_id"), []).append(row)
    return found


def _channel(row: dict[str, Any]) -> PushChannel:
    return PushChannel(**{name: row[name] for name in PushChannel.__dataclass_fields__})


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


async def _change(db: Database, query: Any, values: Sequence[Any]) -> None:
    async def work() -> None:
        async with db.connection() as conn:
            await conn.execute(query, values)

    await db.repeat(work)
