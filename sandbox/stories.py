"""What the demo shows: the stories of every provider, found by its folder's name."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import sandbox


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was done at the provider; and SQL, with its values, that finds a row once it has landed."""

    what: str
    query: LiteralString
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class Story:
    """An account to connect, what happens to it later, and the query that shows it. Addresses are the sandbox's."""

    connector: str
    title: str
    fill: Callable[[str], None]
    """The account behind this address has records."""
    change: Callable[[str], list[str]]
    """The account is changed at the provider; what was done, a line each."""
    query: str
    """SQL that shows the changes in the tables."""
    key: str | None = None
    """The account's API key; None for one that is connected by a link."""
    action: tuple[str, Callable[[str], Mapping[str, Any]]] | None = None
    """An action's name, and what to ask of it."""
    push: Callable[[str], Pushed] | None = None
    """The account is changed, and pushes that."""
    courier: Callable[[str, str], None] | None = None
    """Tells the account's courier to `hold` deliveries, or to `forget` those that wait and go on."""
    fault: Callable[[str, str, Mapping[str, Any]], None] | None = None
    """A call of the account's control API, `fault` or `lift`, with what it takes."""
    revoke: Callable[[str], None] | None = None
    """What opens the account opens it no more."""


def stories() -> list[Story]:
    """Every provider's stories, in alphabetical order of the providers."""
    names = sorted(found.name for found in pkgutil.iter_modules(sandbox.__path__) if found.ispkg)
    return [story for name in names for story in importlib.import_module(f"sandbox.{name}.story").STORIES]
