"""The app and the workspace that every fresh sandbox has, and the settings that lead to them."""

from typing import Any

DEMO_TEAM = "T0SANDBOX"
DEMO_APP: dict[str, Any] = {
    "client_id": "1000000000001.1000000000002",
    "client_secret": "sandbox-client-secret",
    "signing_secret": "sandbox-signing-secret",
    "id": "A0SANDBOX",
    "name": "syncline-demo",
}


def addresses(base: str) -> dict[str, str]:
    """What whoever starts the sandbox is told."""
    return {
        "slack_api_url": base,
        "slack_client_id": DEMO_APP["client_id"],
        "slack_client_secret": DEMO_APP["client_secret"],
        "slack_signing_secret": DEMO_APP["signing_secret"],
    }


def settings(base: str) -> dict[str, str]:
    """The settings that point the product at the sandbox at *base*."""
    return {
        "SYNCLINE_SLACK_API_URL": base,
        "SYNCLINE_SLACK_CLIENT_ID": DEMO_APP["client_id"],
        "SYNCLINE_SLACK_CLIENT_SECRET": DEMO_APP["client_secret"],
        "SYNCLINE_SLACK_SIGNING_SECRET": DEMO_APP["signing_secret"],
        "SYNCLINE_SLACK_DISTRIBUTION": "internal",
    }
