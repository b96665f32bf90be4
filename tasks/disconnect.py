"""Lets go of a connection."""

from uuid import UUID

from storage import disconnect as storage_disconnect
from storage.connections import Connection
from storage.database import Database
from tasks.stream_tables import tables_of


async def disconnect(db: Database, connection_id: UUID, *, purge: bool = False) -> Connection:
    """Running syncs are fenced off, the credentials are forgotten; the data is kept, or with *purge* gone for ever.

    An API key belongs to the user and is not revoked at the provider: only its owner can do that there.
    """
    connection = await storage_disconnect.disconnect(db, connection_id)
    if purge:
        await storage_disconnect.purge(db, connection_id, tables_of(connection.connector).values())
    return connection
