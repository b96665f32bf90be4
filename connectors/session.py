"""What a client is given by whoever opens it: credentials, limits to respect, and a book to write its requests in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Mode = Literal["live", "test"]

Renew = Callable[[Mapping[str, str]], Awaitable[Mapping[str, str]]]
"""Given the credentials that were refused, the ones that hold now; Reconnect when there are none."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A published rate limit: so many units in so many seconds."""

    units: float
    per_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Session:
    """All that a client needs to speak for one account."""

    credentials: Mapping[str, str] = field(repr=False)
    """As they are when the client is opened; what expires holds for longer than a run may take."""
    scope: str
    """Names the account in limits: external account id and mode; empty while it is not yet known."""
    mode: Mode
    throttle: "Throttle"
    record: "Recorder"
    deadline: float
    """The `time.monotonic()` past which a request waits no more for a limit or a pause but raises RateLimited."""
    scopes: frozenset[str] = frozenset()
    """What the user granted; empty for credentials that know no scopes."""
    renew: Renew | None = field(default=None, repr=False)
    """None for credentials that cannot be renewed."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One allowance that a request draws on, shared by every process."""

    connector: str
    name: str
    scope: str
    limit: Limit
    units: int = 1


class Throttle(Protocol):
    """Hands out the right to send a request."""

    async def take(self, buckets: Sequence[Bucket], deadline: float) -> None:
        """Return when one request may be sent; RateLimited when that would be after *deadline* (`time.monotonic()`)."""

    async def pause(self, buckets: Sequence[Bucket], seconds: float) -> None:
        """Nobody, in any process, sends on these buckets for so long."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request as it is kept: the route's template, never its query, headers or bodies."""

    connector: str
    method: str
    route: str
    status: int | None
    duration_ms: int
    error: str | None
    at: datetime
    waited_ms: int = 0
    """For the rate limit, before it was sent."""


class Recorder(Protocol):
    """Keeps what was asked of a provider."""

    def __call__(self, request: RequestRecord) -> None: ...
