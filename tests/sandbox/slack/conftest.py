"""The official library, pointed at the sandbox."""

import pytest
from slack_sdk import WebClient


@pytest.fixture
def web(slack):
    """A client with the bot's token, without limits in the way."""
    slack.unlimited()
    slack.install()
    return WebClient(slack.token, base_url=f"{slack.url}/api/")


@pytest.fixture
def general(slack):
    """A channel that the bot is in; its id."""
    return slack.create_channel("general", general=True)["id"]
