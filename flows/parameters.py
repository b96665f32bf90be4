"""The parameters that the syncing flows share, as people meet them in Prefect's form."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, WithJsonSchema

from connectors.registry import find_connectors, names


def _known(name: str) -> str:
    if name not in names():
        raise ValueError(f"there is no such connector; there is: {', '.join(names())}")
    return name


def _all_known(streams: list[str]) -> list[str]:
    known = {stream.name for connector in find_connectors().values() for stream in connector.streams}
    if unknown := [name for name in streams if name not in known]:
        raise ValueError(f"there is no stream {', '.join(unknown)}; there is: {', '.join(sorted(known))}")
    return streams


ConnectorName = Annotated[
    str,
    AfterValidator(_known),
    Field(description="Only connections of this connector.", json_schema_extra={"enum": names()}),
]
ConnectionId = Annotated[UUID, Field(description="Only this connection.")]
StreamNames = Annotated[list[str], AfterValidator(_all_known), Field(description="Only these streams.")]
ConfirmDeletes = Annotated[
    bool,
    WithJsonSchema(  # Prefect drops the description of a Field that is not inside a union
        {
            "type": "boolean",
            "description": "Read in full anew, and retire what is gone even where it is unusually much.",
        }
    ),
]
Shard = Annotated[
    list[UUID], Field(description="Filled in when a large run hands connections on to this one; leave it empty.")
]
