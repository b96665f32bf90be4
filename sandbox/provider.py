"""What every fake provider is to the process that serves them all."""

from collections.abc import Mapping
from typing import Protocol

from sandbox.http import Request
from sandbox.wire import Answer


class WrongCall(Exception):
    """The control call makes no sense; the text says why."""


class Provider(Protocol):
    """A provider's API, and the hand on its other side."""

    name: str
    paths: tuple[str, ...]
    """What the paths of its API begin with."""

    async def answer(self, request: Request) -> Answer:
        """What the provider answers."""
        ...

    def control(self, request: Request, call: str) -> Answer:
        """What a call under `/_sandbox/{name}/` does."""
        ...

    def settings(self, base: str) -> Mapping[str, str]:
        """The settings that point the product at it."""
        ...

    def deliver_to(self, base: str) -> Mapping[str, str]:
        """It pushes to Syncline at *base*; the settings by which that is understood."""
        ...

    def addresses(self, base: str) -> Mapping[str, str]:
        """Where it is and with what its default app signs in, for whoever starts the sandbox at *base*."""
        ...
