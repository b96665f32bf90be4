"""What the demo shows: one story a provider, found by its folder's name."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sandbox


@dataclass(frozen=True, slots=True)
class Story:
    """An account to connect, what happens to it later, and the query that shows it."""

    connector: str
    title: str
    settings: Callable[[str], Mapping[str, str]]
    """The settings that point the product at the sandbox behind this address."""
    open_account: Callable[[str], str]
    """An account with records behind this address; its API key."""
    change: Callable[[str, str], list[str]]
    """The account behind address and key is changed through the provider's own API; what was done, a line each."""
    query: str
    """SQL that shows the changes in the tables."""


def stories() -> list[Story]:
    """The story of every provider that has one, in alphabetical order."""
    packages = sorted(found.name for found in pkgutil.iter_modules(sandbox.__path__) if found.ispkg)
    names = [name for name in packages if importlib.util.find_spec(f"sandbox.{name}.story")]
    return [importlib.import_module(f"sandbox.{name}.story").STORY for name in names]
