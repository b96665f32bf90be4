"""Where Stripe is, and the one version of its API that we speak."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.addresses import check_origin
from connectors.errors import Misconfigured

TITLE = "Stripe"

PINNED_VERSION = "2026-10-28.endive"
"""The version whose shapes the columns are derived from; stripe-python 16.1 pins the same."""

_PREFIX = "SYNCLINE_STRIPE_"
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]{1,40})?")


def _origin(url: str) -> str:
    return check_origin(TITLE, f"{_PREFIX}API_URL", url)


def _version(said: str) -> str:
    if not _VERSION.fullmatch(said.strip()):
        raise Misconfigured(TITLE, f"{_PREFIX}API_VERSION must be a version of Stripe's API such as {PINNED_VERSION}.")
    return said.strip()


class StripeSettings(BaseSettings):
    """SYNCLINE_STRIPE_API_URL, SYNCLINE_STRIPE_API_VERSION and SYNCLINE_STRIPE_WEBHOOK_SECRET."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, hide_input_in_errors=True, env_ignore_empty=True)

    api_url: Annotated[str, AfterValidator(_origin)] = "https://api.stripe.com"
    """Where the API is."""
    api_version: Annotated[str, AfterValidator(_version)] = PINNED_VERSION
    """Sent with every request."""
    webhook_secret: SecretStr = SecretStr("")
    """Of the app-wide endpoint of webhooks; several, separated by commas, while it is being rotated."""


def load() -> StripeSettings:
    """The settings in force; Misconfigured, naming the variable and never its value, when one cannot be used."""
    try:
        return StripeSettings()
    except ValidationError as error:
        names = ", ".join(sorted({_PREFIX + str(part["loc"][0]).upper() for part in error.errors(include_input=False)}))
    raise Misconfigured(TITLE, f"{names} cannot be read: set it again or leave it out.")
