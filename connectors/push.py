"""Providers that push only what they were asked to, for a while: channels and watches."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from connectors.base import Cursor
from connectors.client import Client


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel or watch that is to be made. `id` and `token` are ours, random; `address` is where to deliver."""

    subject: str
    id: str
    token: str = field(repr=False)
    address: str


@dataclass(frozen=True, slots=True)
class Made:
    """What the provider said of it: when it ends, and by what name it is stopped."""

    expires_at: datetime
    resource_id: str | None = None


class Push(ABC):
    """How one provider is asked to push."""

    lifetime_seconds: ClassVar[float]
    """As long as is asked for."""
    renew_seconds: ClassVar[float]
    """It is renewed when it has no more than this left to live."""
    replaces: ClassVar[bool] = False
    """Whether a new one takes the place of the old one by itself, so that there is nothing to stop."""

    def missing(self, address: str) -> str | None:
        """Why nothing can be pushed here, as a sentence naming the setting; None where it can."""
        del address
        return None

    @abstractmethod
    def subjects(self, cursors: Mapping[str, Cursor]) -> Sequence[str]:
        """What there is to be watched in this account, by what the streams' change cursors know."""

    @abstractmethod
    def streams(self, subject: str) -> Sequence[str]:
        """The streams whose changes a subject's channel tells of."""

    @abstractmethod
    async def watch(self, client: Client, channel: Channel) -> Made:
        """It is watched from now on. Refused where the provider does not push that subject: then it is polled."""

    @abstractmethod
    async def stop(self, client: Client, channel_id: str, resource_id: str | None) -> None:
        """It is watched no more; one that had ended is no error."""
