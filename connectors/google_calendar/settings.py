"""Where the Google Calendar API is."""

from typing import Annotated

from pydantic import AfterValidator, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors import google_settings
from connectors.addresses import check_origin
from connectors.errors import Misconfigured

TITLE = "Google Calendar"

_PREFIX = "SYNCLINE_GOOGLE_CALENDAR_"


def _origin(url: str) -> str:
    return check_origin(TITLE, f"{_PREFIX}API_URL", url)


class CalendarSettings(BaseSettings):
    """SYNCLINE_GOOGLE_CALENDAR_API_URL."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, hide_input_in_errors=True, env_ignore_empty=True)

    api_url: Annotated[str, AfterValidator(_origin)] = "https://www.googleapis.com"
    """Where the API is."""


def load() -> CalendarSettings:
    """The settings in force; Misconfigured, naming the variable and never its value, when one cannot be used.

    What all connectors of Google share is looked at too.
    """
    google_settings.load()
    try:
        return CalendarSettings()
    except ValidationError:
        pass
    raise Misconfigured(TITLE, f"{_PREFIX}API_URL cannot be read: set it again or leave it out.")
