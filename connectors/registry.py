"""Which connectors there are: one a folder beside this file, found by name."""

import functools
import importlib
import pkgutil

import connectors
from connectors.base import Connector


@functools.cache
def find_connectors() -> dict[str, Connector]:
    """Every connector by its folder's name, in alphabetical order."""
    folders = sorted(found.name for found in pkgutil.iter_modules(connectors.__path__) if found.ispkg)
    return {name: importlib.import_module(f"connectors.{name}").connector for name in folders}


def get(name: str) -> Connector:
    """The connector of that name, or LookupError with the names that there are."""
    known = find_connectors()
    if name not in known:
        raise LookupError(f"There is no connector {name!r}. There is: {', '.join(known)}.")
    return known[name]
