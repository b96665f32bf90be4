"""The addresses of the connect pages."""

from urllib.parse import urlencode

from deployments.web_settings import Web


def link(web: Web, connector: str, token: str) -> str:
    """What the user opens."""
    return f"{web.public_url}/connect/{connector}?{urlencode({'session': token})}"


def redirect_uri(web: Web, connector: str) -> str:
    """Where the provider sends the browser back to; to be registered there."""
    return f"{web.public_url}/connect/{connector}/callback"
