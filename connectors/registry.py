"""Which connectors there are: one a folder beside this file, found by name."""

import functools
import importlib
import pkgutil

import connectors
from connectors.base import Connector


@functools.cache
def names() -> list[str]:
    """Of all connectors, in alphabetical order; none of them is imported for it."""
    return sorted(found.name for found in pkgutil.iter_modules(connectors.__path__) if found.ispkg)


@functools.cache
def find_connectors() -> dict[str, Connector]:
    """Every connector by its folder's name, in alphabetical order."""
    return {name: get(name) for name in names()}


@functools.cache
def get(name: str) -> Connector:
    """The connector of that name, or LookupError with the names that there are."""
    if name not in names():
        raise LookupError(f"There is no connector {name!r}. There is: {', '.join(names())}.")
    connector: Connector = importlib.import_module(f"connectors.{name}").connector
    return connector
