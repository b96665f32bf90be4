"""Whether a connector can be connected as things are set up."""

from connectors.base import Connector
from connectors.oauth import OAuthConnector


def check_ready(connector: Connector) -> None:
    """Misconfigured, naming the variable, when a setting for it is missing."""
    if isinstance(connector, OAuthConnector):
        connector.check_settings()


def needs_key(connector: Connector) -> bool:
    """Whether it is connected with an API key rather than at the provider."""
    return not isinstance(connector, OAuthConnector)
