"""The JSON of connections and records, the same for a command's --json as for the API."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.connections import Connection


def connection_object(connection: "Connection") -> dict[str, Any]:
    """A connection without anything secret."""
    from dataclasses import asdict

    return asdict(connection)
