"""Whose a delivery is: the connections that it may be about."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from storage import connections
from storage.credentials import unseal
from storage.database import Database
from storage.errors import KeysUnusable


@dataclass(frozen=True, slots=True)
class Target:
    """A connection that a delivery names in its address."""

    id: UUID
    connector: str
    external_account_id: str
    mode: str
    credentials: str | None = field(repr=False)
    """Encrypted."""


async def targets(db: Database, connection_ids: Sequence[UUID]) -> list[Target | None]:
    """These connections, in their order; None for one that is not there, or is disconnected."""
    query = """
        SELECT id, connector, external_account_id, mode, credentials FROM syncline.connection
         WHERE id = ANY(%s) AND state <> 'disconnected'
    """
    async with db.connection() as conn:
        cursor = await conn.execute(query, [list(set(connection_ids))], prepare=True)
        found = {row["id"]: Target(**row) async for row in cursor}
    return [found.get(connection_id) for connection_id in connection_ids]


async def of_accounts(db: Database, connector: str, accounts: Sequence[tuple[str, str | None]]) -> list[UUID]:
    """The connections of these accounts, each with its mode or None for any; not those that are disconnected."""
    query = """
        SELECT c.id FROM syncline.connection c
          JOIN unnest(%s::text[], %s::text[]) AS a(account, mode)
            ON lower(c.external_account_id) = lower(a.account) AND (a.mode IS NULL OR a.mode = c.mode)
         WHERE c.connector = %s AND c.state <> 'disconnected' ORDER BY c.id
    """
    names, modes = [name for name, _ in accounts], [mode for _, mode in accounts]
    async with db.connection() as conn:
        rows = await (await conn.execute(query, [names, modes, connector], prepare=True)).fetchall()
    return list(dict.fromkeys(row["id"] for row in rows))


async def secret_of(db: Database, target: Target, field: str) -> str | None:
    """The connection's own webhook secret, if it was given one."""
    if target.credentials is None:
        return None
    try:
        return _unsealed(target.id, target.credentials, field)
    except KeysUnusable:  # a rotation may have replaced both since
        return (await connections.credentials(db, target.id)).get(field)


@lru_cache(maxsize=1_000)
def _unsealed(connection_id: UUID, ciphertext: str, field: str) -> str | None:
    """Decrypting takes longer than all else that a delivery needs: what is in a ciphertext stays the same."""
    return unseal(connection_id, ciphertext).get(field)
