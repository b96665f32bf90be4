"""What a provider tells by itself: how its deliveries are verified, and what they mean for our rows.

The web application verifies and stores; what a stored event means is asked later, by whoever applies it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from connectors.base import Key
from connectors.session import Mode

TOLERANCE_SECONDS = 300
"""So far a signed time may be from ours, either way."""


class Forged(Exception):
    """Nothing vouches for this delivery. The text says what is wrong with it, and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it came. Names of headers are in lower case; one that came twice is joined by commas."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    at: float
    """Our clock, in Unix seconds."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """An account that an event is about; `mode` is None where the provider knows no such thing."""

    external_account_id: str
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The channel that a delivery says it comes by, and the secret that we gave that channel."""

    channel_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Event:
    """A verified delivery, as far as it must be understood to be stored."""

    id: str | None = None
    """The provider's id of it; None: the body's SHA-256 stands for it."""
    type: str | None = None
    accounts: Sequence[Concerned] = ()
    """Whose it is. None at all: what vouched for it says whose, a connection's own secret or its channel."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """What only headers told, as far as its meaning needs it."""
    challenge: bytes | None = None
    """Not None: this is the body of the answer, and there is nothing to store."""
    ignored: bool = False
    """Stored, and nothing follows from it."""
    malformed: str | None = None
    """Verified, but it makes no sense: a sentence that says why. It is stored as failed."""


def name_in(value: object) -> str | None:
    """An id or a type as providers write them, in printable ASCII; None when it is none."""
    return value if isinstance(value, str) and value and value.isascii() and value.isprintable() else None


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it was stored."""

    id: UUID
    type: str | None
    body: bytes = field(repr=False)
    said: Mapping[str, Any]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A record that an event itself carries, as it was at `at` by the provider's clock, in Unix seconds.

    `made`: it was just made, so it is the oldest that can be known of it. `gone`: it is deleted, for good; the record
    is what is left of it.
    """

    stream: str
    record: bytes
    at: float
    made: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from an event: nothing, unless it says so."""

    touched: Sequence[tuple[str, Key]] = ()
    """Streams, and keys of records to be read by id."""
    told: Sequence[Told] = ()
    subjects: Sequence[str] = ()
    """What `Connector.changes_of` is to look through."""
    access: bool = False
    """Access may have ended: the provider is asked."""
    malformed: str | None = None
    """It makes no sense: a sentence that says why."""


class Webhooks(ABC):
    """How one provider pushes."""

    own_secret: ClassVar[str | None] = None
    """The credential field with a connection's own secrets, comma-separated; None: there are only app-wide ones."""

    def claim(self, delivery: Delivery) -> Claim | None:
        """The channel that vouches for the delivery; None for providers that sign. Forged when it names none."""
        del delivery
        return None

    @abstractmethod
    async def verify(self, delivery: Delivery, secrets: Sequence[str] | None, *, address: str) -> Event:
        """The event. With *secrets* one of them must have signed it, else what this connector's settings hold.

        *address* is where it was delivered, as the provider knows it. Raises Forged; Misconfigured, naming the
        variable, where no secret is set at all.
        """

    @abstractmethod
    def meaning(self, event: Stored) -> Meaning:
        """What follows from a stored event; never raises for what is in it."""
