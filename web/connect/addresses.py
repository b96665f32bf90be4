"""The addresses of the connect pages."""

from urllib.parse import urlencode


def path(connector: str, token: str) -> str:
    """The page of that link."""
    return f"/connect/{connector}?{urlencode({'session': token})}"


def link(public_url: str, connector: str, token: str) -> str:
    """What the user opens."""
    return public_url + path(connector, token)


def redirect_uri(public_url: str, connector: str) -> str:
    """Where the provider sends the browser back to; to be registered there."""
    return f"{public_url}/connect/{connector}/callback"
