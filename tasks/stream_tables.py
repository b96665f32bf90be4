"""The table of every stream: a connector's declarations in storage's terms. Here the two are joined."""

from functools import cache

from connectors.registry import get
from storage.tables import StreamTable


@cache
def tables_of(connector: str) -> dict[str, StreamTable]:
    """The tables of a connector's streams, by stream."""
    return {
        stream.name: StreamTable(connector, stream.name, stream.key, stream.columns)
        for stream in get(connector).streams
    }
