"""The table of every stream: a connector's declarations in storage's terms. Here the two are joined."""

from functools import cache

from connectors.registry import find_connectors, get
from storage.database import open_database
from storage.tables import StreamTable, ensure


@cache
def tables_of(connector: str) -> dict[str, StreamTable]:
    """The tables of a connector's streams, by stream."""
    found = get(connector)

    @cache
    def table(name: str) -> StreamTable:
        stream = found.stream(name)
        parent = table(stream.parent) if stream.parent else None
        return StreamTable(connector, name, stream.key, stream.columns, stream.absent_where, parent, stream.versions)

    return {stream.name: table(stream.name) for stream in found.streams}


async def make_all() -> None:
    """Every connector's tables are there, so that they can be named in queries and GRANTs before the first sync."""
    async with open_database(max_size=1) as db, db.connection() as conn:
        await ensure(conn, [table for name in find_connectors() for table in tables_of(name).values()])
