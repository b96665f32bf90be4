"""The OAuth client and the account that every fresh sandbox has, and the settings that lead to them."""

from typing import Any

DEMO_ACCOUNT = "demo@example.com"
DEMO_CLIENT: dict[str, Any] = {
    "id": "100000000001-sandbox.apps.googleusercontent.com",
    "secret": "GOCSPX-sandbox-client-secret",
    "name": "syncline-demo",
}

AUTHORIZE = "/google/o/oauth2/v2/auth"
TOKEN = "/google/token"  # noqa: S105 - a path
REVOKE = "/google/revoke"
CERTS = "/google/certs"
USERINFO = "/google/userinfo"


def addresses(base: str) -> dict[str, str]:
    """What whoever starts the sandbox is told."""
    return {
        "google_authorize_url": base + AUTHORIZE,
        "google_token_url": base + TOKEN,
        "google_revoke_url": base + REVOKE,
        "google_jwks_url": base + CERTS,
        "google_userinfo_url": base + USERINFO,
        "google_calendar_api_url": base,
        "gmail_api_url": base,
        "google_client_id": DEMO_CLIENT["id"],
        "google_client_secret": DEMO_CLIENT["secret"],
    }


def settings(base: str) -> dict[str, str]:
    """The settings that point the product at the sandbox at *base*."""
    told = addresses(base)
    return {f"SYNCLINE_{name.upper()}": value for name, value in told.items() if name != "google_userinfo_url"}
