"""Channels and watches by which providers push: made here first, so that a delivery by one is known at once."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from storage.database import Database
from storage.errors import Fenced

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

    @property
    def pushes(self) -> bool:
        """Whether the provider has said that it pushes by it."""
        return self.state == "active" and self.expires_at is not None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be done about a connection's channels."""

    needed: list[str]
    """Subjects without a channel that will do; those that failed last come last."""
    over: list[PushChannel]
    """Those that nobody needs: of subjects that are gone, or of which there is a newer one."""
    replaced: Mapping[str, list[PushChannel]] = field(default_factory=dict)
    """Of each subject needed, those that a new one takes the place of."""


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


async def begin(db: Database, connection_id: UUID, subject: str, address: str) -> tuple[str, str]:
    """The id and the secret of a channel that is about to be asked for. Only the secret's hash is kept."""
    # The lock lets no disconnect pass between the look and the row: it would not know that there is one to be stopped.
    query = """
        INSERT INTO syncline.push_channel (id, connection_id, subject, address, token_hash, state)
        SELECT %s, id, %s, %s, %s, 'active' FROM syncline.connection
         WHERE id = %s AND state <> 'disconnected' FOR SHARE
        ON CONFLICT (id) DO UPDATE SET tried_at = now()
    """
    channel_id, token = str(uuid4()), secrets.token_urlsafe(32)
    values = [channel_id, subject, address, _hash(token), connection_id]
    if not await _change(db, query, values):
        raise Fenced("The connection was disconnected while its changes were about to be watched.")
    return channel_id, token


async def made(db: Database, channel_id: str, *, expires_at: datetime, resource_id: str | None) -> bool:
    """The provider pushes by it until then. False when its connection has left meanwhile: then it is to be stopped."""
    query = """
        UPDATE syncline.push_channel SET expires_at = %s, resource_id = %s, error = NULL
         WHERE id = %s AND state <> 'stopped'
    """
    return await _change(db, query, [expires_at, resource_id, channel_id]) > 0


async def not_made(db: Database, channel_id: str, state: str, sentence: str) -> None:
    """The provider has `refused` for good, or it `failed` for now."""
    query = "UPDATE syncline.push_channel SET state = %s, error = %s WHERE id = %s AND state <> 'stopped'"
    await _change(db, query, [state, sentence, channel_id])


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


async def outlook(
    db: Database, connection_id: UUID, subjects: Sequence[str], *, address: str, renew_seconds: float
) -> Outlook:
    """What there is to be made, and what to be stopped, so that each subject has one channel.

    A channel will do if it lives for longer than so long, leads to that address, and is of the present sign-in. What
    the provider refused within a day is not asked for again.
    """
    query = """
        SELECT p.id, p.connection_id, p.subject, p.resource_id, p.state, p.expires_at,
               p.address = %(address)s AND p.created_at > c.signed_in_at AND (
                   (p.state = 'active' AND p.expires_at > now() + make_interval(secs => %(renew)s))
                   OR (p.state = 'refused' AND p.tried_at > now() - make_interval(hours => %(hours)s))
               ) AS will_do
          FROM syncline.push_channel p JOIN syncline.connection c ON c.id = p.connection_id
         WHERE p.connection_id = %(connection)s AND p.state <> 'stopped' ORDER BY p.created_at DESC, p.id
    """
    values = {"renew": renew_seconds, "hours": RETRY_REFUSED_HOURS, "connection": connection_id, "address": address}
    async with db.connection() as conn:
        rows = await (await conn.execute(query, values)).fetchall()
    served: dict[str, PushChannel] = {}
    of: dict[str, list[PushChannel]] = {}
    for row in rows:
        will_do = row.pop("will_do")
        one = PushChannel(**row)
        of.setdefault(one.subject, []).append(one)
        if will_do:
            served.setdefault(one.subject, one)
    needed = [subject for subject in subjects if subject not in served]
    needed.sort(key=lambda subject: any(one.state == "failed" for one in of.get(subject, [])))
    gone = [one for subject, its in of.items() if subject not in subjects for one in its]
    # What pushes still, though the provider would not do it again, goes on to its end.
    kept = [one for subject, one in served.items() if subject in subjects and one.pushes]
    older = [one for newest in kept for one in of[newest.subject] if one.id != newest.id]
    return Outlook(needed, gone + older, {subject: of.get(subject, []) for subject in needed})


async def expiring(db: Database, connector: str, *, seconds: float, states: Sequence[str]) -> dict[UUID, str]:
    """The connections in these states, with their state, of which something ends within so long or has ended. What the
    provider has come to refuse is none of it.
    """
    query = """
        SELECT DISTINCT connection_id, state FROM (
            SELECT p.connection_id, c.state, max(p.expires_at) FILTER (WHERE p.state = 'active') AS until,
                   (array_agg(p.state ORDER BY p.created_at DESC))[1] AS newest
              FROM syncline.push_channel p JOIN syncline.connection c ON c.id = p.connection_id
             WHERE p.state <> 'stopped' AND c.connector = %s AND c.state = ANY(%s)
             GROUP BY p.connection_id, c.state, p.subject
        ) AS watched WHERE newest <> 'refused' AND until < now() + make_interval(secs => %s)
    """
    async with db.connection() as conn:
        rows = await (await conn.execute(query, [connector, list(states), seconds])).fetchall()
    return {row["connection_id"]: row["state"] for row in rows}


async def shown(db: Database, connection_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """What status shows of these connections' channels, one for each subject: `active` as long as something is pushed,
    else whether the newest was `refused` or `failed`; with the sentence why, and when it ends.
    """
    # What was asked for a moment ago, and has no answer yet, is not shown.
    query = """
        SELECT connection_id, subject,
               CASE WHEN until IS NOT NULL THEN 'active' WHEN newest = 'refused' THEN 'refused' ELSE 'failed' END
                   AS state,
               error, until AS expires_at
          FROM (
            SELECT connection_id, subject,
                   max(expires_at) FILTER (WHERE state = 'active' AND expires_at > now()) AS until,
                   (array_agg(state ORDER BY created_at DESC))[1] AS newest,
                   (array_agg(error ORDER BY created_at DESC))[1] AS error
              FROM syncline.push_channel
             WHERE connection_id = ANY(%s) AND state <> 'stopped'
               AND NOT (state = 'active' AND expires_at IS NULL AND tried_at > now() - interval '1 minute')
             GROUP BY connection_id, subject
          ) AS watched ORDER BY connection_id, subject
    """
    found: dict[UUID, list[dict[str, Any]]] = {}
    async with db.connection() as conn:
        async for row in await conn.execute(query, [list(connection_ids)]):
            found.setdefault(row.pop("connection_id"), []).append(row)
    return found


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


async def _change(db: Database, query: Any, values: Sequence[Any]) -> int:
    async def work() -> int:
        async with db.connection() as conn:
            return (await conn.execute(query, values)).rowcount

    return await db.repeat(work)
