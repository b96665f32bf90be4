"""One request, ready to be sent as often as it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.addresses import target


@dataclass(frozen=True, slots=True)
class Request:
    """`route` is the template that is recorded; `target` is path and query as they are sent."""

    method: str
    route: str
    target: bytes
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What this request has beside the headers that all have, such as the kind of its body."""


def get(route: str, params: Mapping[str, str | int] | None = None, **path_values: str) -> Request:
    """A read; *path_values* are percent-encoded into the route."""
    return Request("GET", route, target(route, params, path_values))
