"""What a connector does at its provider, at most once.

Between two attempts only what was committed is known. An attempt is preceded by a committed claim; what has to be
known afterwards, such as a draft's id, is committed by `Sending.remember` before the next request is sent.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connectors.client import Client

Result = Mapping[str, Any]
"""What came of it, as JSON: what the caller is shown, and is shown again with the same key."""


class Asked(BaseModel):
    """What an action is asked to do: nothing that is not named, and nothing of it in an error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, str_strip_whitespace=False)


def _without_nul(text: str) -> str:
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("no NUL characters and no halves of characters")
    return text


def _on_one_line(text: str) -> str:
    if any(letter in text for letter in "\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"):
        raise ValueError("no line breaks")
    return _without_nul(text)


def _plain(text: str) -> str:
    if not text.isprintable() or any(letter.isspace() for letter in text):
        raise ValueError("an id, without spaces and control characters")
    return text


Id = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_plain)]
"""An id as the provider gave it."""
Line = Annotated[str, AfterValidator(_on_one_line)]
Text = Annotated[str, AfterValidator(_without_nul)]


@dataclass(frozen=True, slots=True)
class Sending:
    """One action under way, as far as it must be known to everybody who attempts it."""

    key: str
    """Hexadecimal, 64 digits: the same for every attempt, another one for every other action."""
    age: timedelta
    """Since the first attempt was claimed, by the database's clock."""
    memo: Mapping[str, Any]
    """What earlier attempts have remembered."""
    remember: Callable[[Mapping[str, Any]], Awaitable[None]] = field(repr=False)
    """Commits what later attempts must know. Raises when somebody else has taken over: send nothing more then."""


class Action(ABC):
    """One kind of write."""

    name: ClassVar[str]
    """The connector's name, a dot, and what is done."""
    summary: ClassVar[str]
    """One sentence for the API's documents."""
    body: ClassVar[type[Asked]]
    scopes: ClassVar[frozenset[str]] = frozenset()
    """Without all of these granted it is refused."""

    @abstractmethod
    async def perform(self, client: Client, asked: Any, sending: Sending) -> Result:
        """It is done; *asked* is an instance of `body`.

        Raises Unsent when it certainly was not and may be tried again, Unproved when nobody knows, any other
        ConnectorError when the provider refuses it, whose sentence is then the reason.
        """

    @abstractmethod
    async def look(self, client: Client, asked: Any, sending: Sending) -> Result | None:
        """What came of an earlier attempt whose answer is lost; None when nothing can have, so that it may be done.

        Nothing is done a second time. Raises Declined when it certainly did not happen and will not; any other
        ConnectorError leaves it open.
        """
