"""Whose a delivery is: the connections that it may be about."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from storage import connections
from storage.database import Database
from storage.errors import NotActive, UnknownId


@dataclass(frozen=True, slots=True)
class Target:
    """A connection that a delivery names in its address."""

    id: UUID
    connector: str
    external_account_id: str
    mode: str


async def target(db: Database, connector: str, connection_id: UUID) -> Target:
    """That connection of that connector; UnknownId when there is none, or when it is disconnected."""
    query = """
        SELECT id, connector, external_account_id, mode FROM syncline.connection
         WHERE id = %s AND connector = %s AND state <> 'disconnected'
    """
    async with db.connection() as conn:
        row = await (await conn.execute(query, [connection_id, connector], prepare=True)).fetchone()
    if row is None:
        raise connections.unknown(connection_id)
    return Target(**row)


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


async def secret_of(db: Database, connection_id: UUID, field: str) -> str | None:
    """The connection's own webhook secret, if it was given one; UnknownId when it is gone."""
    try:
        return (await connections.credentials(db, connection_id)).get(field)
    except NotActive:
        raise UnknownId("This connection is disconnected.", "Connect the account again.") from None
