"""What a connector reads for somebody who asks now, beside the tables; nothing of it is stored."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from connectors.client import Client


class LiveRead(ABC):
    """One such read: a GET below the connection's address, with query parameters."""

    name: ClassVar[str]
    """The last part of its address, such as `calendar-occurrences`."""
    summary: ClassVar[str]
    """One sentence for the API's documents."""
    parameters: ClassVar[type[BaseModel]]
    """What may be asked; checked before anything is sent."""
    scopes: ClassVar[frozenset[str]] = frozenset()
    """Without all of these granted it is refused."""

    @abstractmethod
    async def read(self, client: Client, asked: Any) -> Sequence[bytes]:
        """The records as JSON texts, in the order in which they are shown; *asked* is an instance of `parameters`."""
