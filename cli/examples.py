"""Which connectors there are, by the names of their folders alone: help must not import them."""

import pkgutil

import connectors as folder


def connectors() -> list[str]:
    return sorted(found.name for found in pkgutil.iter_modules(folder.__path__) if found.ispkg)


def connector() -> str:
    """The one to show in an example; a placeholder when there is none."""
    return (connectors() or ["CONNECTOR"])[-1]


FIRST_STEP = f"No connections yet. Start with: syncline connect {connector()} --user 42 --api-key-stdin"
