"""The OAuth client that all of Google's connectors use, and where Google's sign-in is."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.addresses import check_origin
from connectors.errors import Misconfigured

TITLE = "Google"

_PREFIX = "SYNCLINE_GOOGLE_"


def _address(name: str) -> AfterValidator:
    """https, or http on this machine, with a path and nothing after it."""

    def check(url: str) -> str:
        parts = urlsplit(url.strip())
        origin = check_origin(TITLE, _PREFIX + name, f"{parts.scheme}://{parts.netloc}")
        if parts.query or parts.fragment:
            raise Misconfigured(TITLE, f"{_PREFIX}{name} must be an address without anything behind its path.")
        return origin + parts.path

    return AfterValidator(check)


class GoogleSettings(BaseSettings):
    """SYNCLINE_GOOGLE_CLIENT_ID, SYNCLINE_GOOGLE_CLIENT_SECRET, and the four addresses of Google's sign-in."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, hide_input_in_errors=True, env_ignore_empty=True)

    client_id: str = ""
    """Of your OAuth client in the Google Cloud console."""
    client_secret: SecretStr = SecretStr("")
    """Beside it."""
    authorize_url: Annotated[str, _address("AUTHORIZE_URL")] = "https://accounts.google.com/o/oauth2/v2/auth"
    """Where users consent."""
    token_url: Annotated[str, _address("TOKEN_URL")] = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    """Where tokens come from."""
    revoke_url: Annotated[str, _address("REVOKE_URL")] = "https://oauth2.googleapis.com/revoke"
    """Where they end."""
    jwks_url: Annotated[str, _address("JWKS_URL")] = "https://www.googleapis.com/oauth2/v3/certs"
    """What signed pushes are proved by."""


def load() -> GoogleSettings:
    """The settings in force; Misconfigured, naming the variable and never its value, when one cannot be used."""
    try:
        return GoogleSettings()
    except ValidationError as error:
        names = ", ".join(sorted({_PREFIX + str(part["loc"][0]).upper() for part in error.errors(include_input=False)}))
    raise Misconfigured(TITLE, f"{names} cannot be read: set it again or leave it out.")


def load_client() -> GoogleSettings:
    """The same; Misconfigured, naming what is missing, unless there is an OAuth client to sign in with."""
    settings = load()
    missing = [
        _PREFIX + name
        for name, value in (
            ("CLIENT_ID", settings.client_id.strip()),
            ("CLIENT_SECRET", settings.client_secret.get_secret_value().strip()),
        )
        if not value
    ]
    if missing:
        raise Misconfigured(
            TITLE,
            f"{' and '.join(missing)} must be set before {{provider}} accounts can be connected: create an OAuth "
            "client of the kind web application in the Google Cloud console.",
        )
    return settings
