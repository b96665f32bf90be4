"""The table of every stream: a connector's declarations in storage's terms. Here the two are joined."""

from functools import cache

from connectors.registry import get
from storage.tables import StreamTable


@cache
def tables_of(connector: str) -> dict[str, StreamTable]:
    """The tables of a connector's streams, by stream."""
    found = get(connector)

    @cache
    def table(name: str) -> StreamTable:
        stream = found.stream(name)
        parent = table(stream.parent) if stream.parent else None
        return StreamTable(connector, name, stream.key, stream.columns, stream.absent_where, parent)

    return {stream.name: table(stream.name) for stream in found.streams}
