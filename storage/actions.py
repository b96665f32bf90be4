"""Actions: what was asked of a provider, at most once for each key of a connection and an action, and what came of it.

A claim is committed before anything is sent. A row whose sender lives is under way; a row whose sender has died is
taken over by whoever comes with the same key. Keys are kept as hashes, bodies not at all.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from storage.database import Conn, Database
from storage.errors import Fenced, KeyReused, UnderWay
from storage.senders import ALIVE, Sender

UNDER_WAY_SECONDS = 5
"""After so long it is worth asking again."""

_COLUMNS: LiteralString = """
    id, connection_id, name, status, result, error, error_code, fingerprint, memo, sender, attempts, created_at,
    sent_at, ended_at, now() - created_at AS age
"""
_SELECT: LiteralString = "SELECT " + _COLUMNS + ", " + ALIVE + " AS alive FROM syncline.action "  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Asked:
    """One action as it is asked for: the key is never kept, nor is the body."""

    connection_id: UUID
    name: str
    key: bytes
    """SHA-256 of the caller's key."""
    fingerprint: bytes
    """SHA-256 of the body."""

    @property
    def derived(self) -> str:
        """64 hexadecimal digits for the provider: the same for the same key, connection and action, and only then."""
        return hashlib.sha256(b"%s %s %s" % (self.connection_id.bytes, self.name.encode(), self.key)).hexdigest()


@dataclass(frozen=True, slots=True)
class Row:
    """An action as it stands."""

    id: UUID
    connection_id: UUID
    name: str
    status: str
    result: dict[str, Any] | None
    error: str | None
    error_code: str | None
    fingerprint: bytes
    memo: dict[str, Any] | None
    sender: str | None
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    age: timedelta
    alive: bool
    """Somebody is sending it."""

    @property
    def settled(self) -> bool:
        """Nothing about it will change any more."""
        return self.status in {"succeeded", "failed"}


async def find(db: Database, asked: Asked) -> Row | None:
    """What is known of it; KeyReused when the key was used with another body."""
    async with db.connection() as conn:
        return await _find(conn, asked)


async def claim(db: Database, sender: Sender, asked: Asked) -> Row:
    """The row, this caller's to send, unless it is settled. With more than one attempt nobody knows what came of those
    before.

    UnderWay while another sender is at it, KeyReused when the key was used with another body.
    """
    mine, new = await sender.attempt(), uuid4()
    return await db.repeat(partial(_claim, db, asked, mine, new))


async def remember(db: Database, row: Row, memo: Mapping[str, Any]) -> None:
    """Whoever takes over knows this. Fenced when somebody has already."""
    query: LiteralString = "SET memo = coalesce(memo, '{}') || %s WHERE id = %s AND sender = %s AND status = 'sending'"
    if not await _update(db, query, [Jsonb(dict(memo)), row.id, row.sender]):
        raise Fenced("Another process has taken over this action.", "Ask again with the same key.")


async def succeed(db: Database, row: Row, result: Mapping[str, Any]) -> None:
    """It happened, and this is what came of it; true whoever may have taken over meanwhile."""
    query: LiteralString = """
        SET status = 'succeeded', result = %s, error = NULL, error_code = NULL, sender = NULL, ended_at = now()
        WHERE id = %s AND status IN ('sending', 'unknown')
    """
    await _update(db, query, [Jsonb(dict(result)), row.id])


async def fail(db: Database, row: Row, code: str, sentence: str) -> None:
    """It did not happen and will not."""
    await _end(db, row, "failed", code, sentence)


async def doubt(db: Database, row: Row, code: str, sentence: str) -> None:
    """Nobody knows whether it happened: it is only looked for from here on."""
    await _end(db, row, "unknown", code, sentence)


async def withdraw(db: Database, row: Row) -> None:
    """Nothing was sent: as if it had never been asked for."""

    async def work() -> None:
        query = "DELETE FROM syncline.action WHERE id = %s AND sender = %s AND status = 'sending'"
        async with db.transaction() as conn:
            await conn.execute(query, [row.id, row.sender])

    await db.repeat(work)


async def let_go(db: Database, row: Row) -> None:
    """Nobody is sending it any more, and nobody has found out what came of it."""
    await _update(db, "SET sender = NULL WHERE id = %s AND sender = %s AND status = 'sending'", [row.id, row.sender])


async def _claim(db: Database, asked: Asked, mine: str, new: UUID) -> Row:
    insert = """
        INSERT INTO syncline.action
            (id, connection_id, name, idempotency_key_hash, fingerprint, status, sender, attempts, sent_at)
        VALUES (%s, %s, %s, %s, %s, 'sending', %s, 1, now()) ON CONFLICT DO NOTHING
    """
    async with db.transaction() as conn:
        await conn.execute(insert, [new, asked.connection_id, asked.name, asked.key, asked.fingerprint, mine])
        row = await _find(conn, asked, lock=True)
        if row is None:  # withdrawn between the two statements
            raise _under_way()
        if row.settled or row.sender == mine:  # also when the answer to this very COMMIT was lost
            return row
        if row.alive:
            raise _under_way()
        return await _take_over(conn, asked, row, mine)


async def _take_over(conn: Conn, asked: Asked, row: Row, mine: str) -> Row:
    query = """
        UPDATE syncline.action
        SET status = 'sending', sender = %s, attempts = attempts + 1, sent_at = now(), ended_at = NULL WHERE id = %s
    """
    await conn.execute(query, [mine, row.id])
    taken = await _find(conn, asked)
    if taken is None:
        raise AssertionError  # it is locked
    return taken


async def _find(conn: Conn, asked: Asked, *, lock: bool = False) -> Row | None:
    where: LiteralString = "WHERE connection_id = %s AND name = %s AND idempotency_key_hash = %s"
    where = where + " FOR UPDATE" if lock else where
    async with conn.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(_SELECT + where, [asked.connection_id, asked.name, asked.key])
        row = await cursor.fetchone()
    if row is not None and bytes(row.fingerprint) != asked.fingerprint:
        raise KeyReused(
            "This idempotency key was used before, with another body.", "Use a new key for what is a new request."
        )
    return row


async def _end(db: Database, row: Row, status: str, code: str, sentence: str) -> None:
    query: LiteralString = """
        SET status = %s, error_code = %s, error = %s, sender = NULL, ended_at = now()
        WHERE id = %s AND sender = %s AND status = 'sending'
    """
    await _update(db, query, [status, code, sentence, row.id, row.sender])


async def _update(db: Database, change: LiteralString, values: list[Any]) -> int:
    async def work() -> int:
        async with db.transaction() as conn:
            return (await conn.execute("UPDATE syncline.action " + change, values)).rowcount

    return await db.repeat(work)


def _under_way() -> UnderWay:
    return UnderWay("This action is under way.", "Ask again with the same key in a few seconds.")
