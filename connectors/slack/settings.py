"""Which Slack app this is, where Slack is, and how much of it the app may ask for."""

from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.addresses import check_origin
from connectors.errors import Misconfigured
from connectors.limits import rate_limits
from connectors.session import Limit

NAME = "slack"
TITLE = "Slack"

Distribution = Literal["unlisted", "internal", "marketplace"]

_PREFIX = "SYNCLINE_SLACK_"

# https://docs.slack.dev/apis/web-api/rate-limits: at least so many a minute, for each method, workspace and app.
_TIER_2, _TIER_3, _TIER_4 = (Limit(number, 60) for number in (20, 50, 100))
_PUBLISHED = {
    "auth.revoke": _TIER_3,
    "auth.test": _TIER_4,
    "chat.postMessage": Limit(1),
    "conversations.history": _TIER_3,
    "conversations.info": _TIER_3,
    "conversations.list": _TIER_2,
    "conversations.replies": _TIER_3,
    "oauth.v2.access": _TIER_4,
    "users.info": _TIER_4,
    "users.list": _TIER_2,
}
_UNLISTED = dict.fromkeys(("conversations.history", "conversations.replies"), Limit(1, 60))
"""What is left to apps distributed outside the Marketplace since May 2025, with pages of 15 messages."""

LIST_PAGE = 200
"""Channels or users a request, as many as Slack recommends."""
_MESSAGE_PAGE: dict[Distribution, int] = {"unlisted": 15, "internal": 999, "marketplace": 999}


def _origin(url: str) -> str:
    return check_origin(TITLE, f"{_PREFIX}API_URL", url)


class SlackSettings(BaseSettings):
    """SYNCLINE_SLACK_API_URL, _CLIENT_ID, _CLIENT_SECRET, _SIGNING_SECRET, _DISTRIBUTION and _PKCE."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, hide_input_in_errors=True, env_ignore_empty=True)

    api_url: Annotated[str, AfterValidator(_origin)] = "https://slack.com"
    """Where the API is."""
    client_id: str = ""
    """Of your app: Basic Information on its page at api.slack.com/apps."""
    client_secret: SecretStr = SecretStr("")
    """Beside it."""
    signing_secret: SecretStr = SecretStr("")
    """Of webhooks, beside it; several, separated by commas, while it is being rotated."""
    distribution: Distribution = "unlisted"
    """`internal` or `marketplace` for such an app; any other may ask for messages once a minute, 15 at a time."""
    pkce: bool = False
    """Only for an app that has it on: Slack then takes it for a public client for good, and refresh tokens end after 30
    days."""

    @property
    def message_page(self) -> int:
        """The most messages that one request may ask for."""
        return _MESSAGE_PAGE[self.distribution]

    @property
    def limits(self) -> dict[str, Limit]:
        """The limits in force, by method."""
        return rate_limits(NAME, TITLE, _PUBLISHED | (_UNLISTED if self.distribution == "unlisted" else {}))


def load() -> SlackSettings:
    """The settings in force; Misconfigured, naming the variable and never its value, when one cannot be used."""
    try:
        return SlackSettings()
    except ValidationError as error:
        names = ", ".join(sorted({_PREFIX + str(part["loc"][0]).upper() for part in error.errors(include_input=False)}))
    raise Misconfigured(TITLE, f"{names} cannot be read: set it again or leave it out.")


def load_client() -> SlackSettings:
    """The same; Misconfigured, naming what is missing, unless there is an app to sign in with."""
    settings = load()
    wanted = {"CLIENT_ID": settings.client_id.strip()}
    if not settings.pkce:
        wanted["CLIENT_SECRET"] = settings.client_secret.get_secret_value().strip()
    missing = [_PREFIX + name for name, value in wanted.items() if not value]
    if missing:
        raise Misconfigured(
            TITLE,
            f"{' and '.join(missing)} must be set before {{provider}} workspaces can be connected: copy it from "
            "Basic Information on the app's page at api.slack.com/apps.",
        )
    return settings
