"""Connections: made and made again, found, and marked with what is wrong."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import class_row

from storage import keys
from storage.alerts import CLEAR, NEEDS_RECONNECT
from storage.credentials import seal, unseal
from storage.database import Conn, Database
from storage.errors import Conflict, KeysUnusable, NotActive, UnknownId
from storage.locks import keys_stay

SELECT = """
    SELECT id, connector, user_id, external_account_id, mode, account, state, scopes, full_due, error, error_code,
           created_at, signed_in_at
    FROM syncline.connection
"""
ROTATIONS_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class Connection:
    """One user's authorised account with one connector; nothing in it is secret."""

    id: UUID
    connector: str
    user_id: str
    external_account_id: str
    mode: str
    account: str
    state: str
    scopes: list[str]
    full_due: bool
    error: str | None
    error_code: str | None
    created_at: datetime
    signed_in_at: datetime


async def upsert(
    db: Database,
    *,
    connector: str,
    user_id: str,
    account: str,
    name: str,
    mode: str,
    scopes: Sequence[str],
    credentials: Mapping[str, str],
    grant_key: str | None = None,
    keep: Sequence[str] = (),
) -> tuple[Connection, bool]:
    """The active connection of that account, and whether it is new. An account that was connected keeps its id,
    its data and its checkpoints, and of its credentials the fields in *keep* that are not given anew.
    """

    async def work() -> tuple[Connection, bool]:
        async with db.transaction() as conn:
            await keys_ready(conn)
            id_, created = await _claimed(conn, uuid4(), (connector, user_id, account, mode), name)
            given = await _kept(conn, id_, keep) | dict(credentials)
            await _let_in(conn, id_, name=name, scopes=scopes, credentials=given, grant_key=grant_key)
            return await _get(conn, id_), created

    return await db.repeat(work)


async def reconnect(
    db: Database,
    connection_id: UUID,
    *,
    account: str,
    name: str,
    mode: str,
    scopes: Sequence[str],
    credentials: Mapping[str, str],
    grant_key: str | None = None,
    keep: Sequence[str] = (),
) -> Connection:
    """The same connection, active again, with the fields in *keep* that are not given anew; Conflict when the
    credentials open another account or mode.
    """

    async def work() -> Connection:
        async with db.transaction() as conn:
            await keys_ready(conn)
            before = await _get(conn, connection_id)
            if (before.external_account_id, before.mode) != (account, mode):
                raise Conflict(
                    f"These credentials are for another account or mode ({account}, {mode}) than this connection"
                    f" ({before.external_account_id}, {before.mode}).",
                    "Use credentials of the same account, or connect the other account as a connection of its own.",
                )
            given = await _kept(conn, connection_id, keep) | dict(credentials)
            await _let_in(conn, connection_id, name=name, scopes=scopes, credentials=given, grant_key=grant_key)
            return await _get(conn, connection_id)

    return await db.repeat(work)


async def get(db: Database, connection_id: UUID) -> Connection:
    """That connection, or UnknownId."""
    async with db.connection() as conn:
        return await _get(conn, connection_id)


async def find(db: Database, beginning: str) -> Connection:
    """The one connection whose id begins like this; UnknownId when there is none or more than one."""
    wanted = beginning.strip().lower()
    shown = ascii(beginning.strip()[:40])
    if not re.fullmatch(r"[0-9a-f-]{1,36}", wanted):
        raise UnknownId(f"{shown} is not the id of a connection.", "`syncline connections` lists them.")
    found = await _select(db, "WHERE starts_with(id::text, %s) LIMIT 2", [wanted])
    if not found:
        raise UnknownId(f"No connection has an id that begins with {shown}.", "`syncline connections` lists them.")
    if len(found) > 1:
        raise UnknownId(f"More than one connection has an id that begins with {shown}.", "Write more of the id.")
    return found[0]


async def listing(db: Database, connector: str | None = None, user_id: str | None = None) -> list[Connection]:
    """All connections, the oldest first; only one connector's or one user's when named."""
    where = "WHERE (%s::text IS NULL OR connector = %s) AND (%s::text IS NULL OR user_id = %s) ORDER BY created_at, id"
    return await _select(db, where, [connector, connector, user_id, user_id])


async def active(db: Database, connector: str | None = None, connection_id: UUID | None = None) -> list[Connection]:
    """The connections that may be synced, the oldest first."""
    where = """
        WHERE state = 'active' AND (%s::text IS NULL OR connector = %s) AND (%s::uuid IS NULL OR id = %s)
        ORDER BY created_at, id
    """
    return await _select(db, where, [connector, connector, connection_id, connection_id])


async def credentials(db: Database, connection_id: UUID) -> dict[str, str]:
    """What opens the account, decrypted; for this moment only.

    Between the look at the row and the look at the keys a rotation may have replaced both: then both are looked at
    again, as long as the row keeps changing.
    """
    before: str | None = None
    for _ in range(ROTATIONS_AT_ONCE):
        ciphertext = await _ciphertext(db, connection_id)
        try:
            return unseal(connection_id, ciphertext)
        except KeysUnusable:
            if ciphertext == before:
                raise
            before = ciphertext
    return unseal(connection_id, await _ciphertext(db, connection_id))


async def set_error(db: Database, connection_id: UUID, code: str, sentence: str) -> None:
    """The connection shows this error until a sync succeeds."""
    await _update(
        db, "SET error = %s, error_code = %s, error_at = now(), updated_at = now()", [sentence, code], connection_id
    )


async def clear_error(db: Database, connection_id: UUID) -> None:
    """The connection shows no error; one that asks for a new sign-in still does."""
    await _update(
        db,
        "SET error = NULL, error_code = NULL, error_at = NULL, updated_at = now()",
        [],
        connection_id,
        only="AND error IS NOT NULL AND state <> 'needs_reconnect'",
    )


async def needs_reconnect(
    db: Database, connection_id: UUID, code: str, sentence: str, *, signed_in_at: datetime | None = None
) -> None:
    """An active connection waits for its user from here on, and an alert says so; any other stays as it is, and so
    does one whose user has signed in again since *signed_in_at*: what was refused is then not what opens the account
    now.
    """
    query = """
        WITH changed AS (
            UPDATE syncline.connection
               SET state = 'needs_reconnect', error = %(sentence)s, error_code = %(code)s, error_at = now(),
                   updated_at = now()
             WHERE id = %(id)s AND state = 'active' AND signed_in_at = coalesce(%(since)s, signed_in_at)
            RETURNING id, connector
        )
        INSERT INTO syncline.alert (kind, service, connection_id, sentence)
        SELECT %(kind)s, connector, id, %(sentence)s FROM changed ON CONFLICT DO NOTHING
    """
    values = {"id": connection_id, "code": code, "sentence": sentence, "since": signed_in_at, "kind": NEEDS_RECONNECT}

    async def work() -> None:
        async with db.connection() as conn:
            await conn.execute(query, values)

    await db.repeat(work)


async def set_full_due(db: Database, connection_id: UUID, *, due: bool) -> None:
    """Whether the connection's next run is to be a full sync."""
    await _update(db, "SET full_due = %s, updated_at = now()", [due], connection_id)


async def keys_ready(conn: Conn) -> None:
    """There is a key to encrypt with, to the end of the transaction; the first one is made where that is allowed."""
    await keys_stay(conn)
    if keys.exist():
        return
    row = await (
        await conn.execute("SELECT EXISTS (SELECT FROM syncline.connection WHERE credentials IS NOT NULL) AS sealed")
    ).fetchone()
    if keys.may_be_made() and row and not row["sealed"]:
        keys.make_first()


async def _claimed(conn: Conn, new: UUID, account: tuple[str, str, str, str], name: str) -> tuple[UUID, bool]:
    """The id of that account's connection, locked, and whether this made it."""
    insert = """
        INSERT INTO syncline.connection (connector, user_id, external_account_id, mode, id, account, state)
        VALUES (%s, %s, %s, %s, %s, %s, 'active') ON CONFLICT DO NOTHING
    """
    created = (await conn.execute(insert, [*account, new, name])).rowcount == 1
    select = """
        SELECT id FROM syncline.connection
        WHERE connector = %s AND user_id = %s AND external_account_id = %s AND mode = %s FOR UPDATE
    """
    row = await (await conn.execute(select, account)).fetchone()
    if row is None:  # purged between the two statements
        raise unknown(new)
    return row["id"], created


async def _kept(conn: Conn, connection_id: UUID, names: Sequence[str]) -> dict[str, str]:
    """These fields of the credentials there are; none when no key here opens them."""
    query = "SELECT credentials FROM syncline.connection WHERE id = %s FOR UPDATE"
    row = await (await conn.execute(query, [connection_id])).fetchone() if names else None
    if row is None or row["credentials"] is None:
        return {}
    try:
        found = unseal(connection_id, row["credentials"])
    except KeysUnusable:
        return {}
    return {name: found[name] for name in names if name in found}


async def _let_in(
    conn: Conn,
    connection_id: UUID,
    *,
    name: str,
    scopes: Sequence[str],
    credentials: Mapping[str, str],
    grant_key: str | None,
) -> None:
    update = """
        UPDATE syncline.connection
        SET state = 'active', account = %s, scopes = %s, credentials = %s, grant_key = %s, renewal_failed_at = NULL,
            signed_in_at = clock_timestamp(), error = NULL, error_code = NULL, error_at = NULL, updated_at = now()
        WHERE id = %s
    """
    sealed = seal(connection_id, credentials)
    await conn.execute(update, [name, list(scopes), sealed, grant_key, connection_id])
    await conn.execute(CLEAR, [NEEDS_RECONNECT, connection_id])


async def _select(db: Database, where: Any, values: Sequence[Any]) -> list[Connection]:
    async with db.connection() as conn, conn.cursor(row_factory=class_row(Connection)) as cursor:
        return await (await cursor.execute(SELECT + where, values)).fetchall()


async def _get(conn: Conn, connection_id: UUID) -> Connection:
    async with conn.cursor(row_factory=class_row(Connection)) as cursor:
        found = await (await cursor.execute(SELECT + "WHERE id = %s", [connection_id])).fetchone()
    if found is None:
        raise unknown(connection_id)
    return found


async def _ciphertext(db: Database, connection_id: UUID) -> str:
    query = "SELECT credentials, state FROM syncline.connection WHERE id = %s"
    async with db.connection() as conn:
        row = await (await conn.execute(query, [connection_id])).fetchone()
    if row is None:
        raise unknown(connection_id)
    if row["credentials"] is None:
        raise NotActive("This connection is disconnected; its credentials are forgotten.", "Connect the account again.")
    return str(row["credentials"])


async def _update(db: Database, change: Any, values: Sequence[Any], connection_id: UUID, *, only: str = "") -> None:
    async def work() -> None:
        async with db.connection() as conn:
            query = "UPDATE syncline.connection " + change + " WHERE id = %s " + only
            await conn.execute(query, [*values, connection_id])

    await db.repeat(work)


def unknown(connection_id: UUID) -> UnknownId:
    """That there is none of this id."""
    return UnknownId(f"There is no connection {connection_id}.", "`syncline connections` lists them.")
