"""Where the Gmail API is, and what it takes to be pushed to."""

from typing import Annotated

from pydantic import AfterValidator, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors import google_settings
from connectors.addresses import check_origin
from connectors.errors import Misconfigured

TITLE = "Gmail"

_PREFIX = "SYNCLINE_GMAIL_"


def _origin(url: str) -> str:
    return check_origin(TITLE, f"{_PREFIX}API_URL", url)


class GmailSettings(BaseSettings):
    """SYNCLINE_GMAIL_API_URL, _PUBSUB_TOPIC, _PUSH_SERVICE_ACCOUNT and _PUSH_AUDIENCE."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, hide_input_in_errors=True, env_ignore_empty=True, str_strip_whitespace=True
    )

    api_url: Annotated[str, AfterValidator(_origin)] = "https://gmail.googleapis.com"
    """Where the API is."""
    pubsub_topic: str = ""
    """Where Gmail publishes what changed, such as projects/my-project/topics/mail; empty: mailboxes are polled."""
    push_service_account: str = ""
    """The service account that the push subscription signs as: its e-mail address."""
    push_audience: str = ""
    """What the subscription signs for, where that is not the address it pushes to."""


def load() -> GmailSettings:
    """The settings in force; Misconfigured, naming the variable and never its value, when one cannot be used.

    What all connectors of Google share is looked at too.
    """
    google_settings.load()
    try:
        return GmailSettings()
    except ValidationError:
        pass
    raise Misconfigured(TITLE, f"{_PREFIX}API_URL cannot be read: set it again or leave it out.")
