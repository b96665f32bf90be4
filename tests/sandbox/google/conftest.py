"""Google's own libraries, pointed at the sandbox."""

import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build


def service(google, name, version):
    """The library as it ships, from the discovery document that comes with it."""
    key = "google_calendar_api_url" if name == "calendar" else "gmail_api_url"
    options = {"api_endpoint": google.addresses[key] + ("/calendar/v3/" if name == "calendar" else "/")}
    return build(
        name,
        version,
        credentials=Credentials(google.token),
        static_discovery=True,
        client_options=options,
        cache_discovery=False,
    )


@pytest.fixture
def calendar(google):
    """A client of the Calendar API, without limits in the way."""
    google.unlimited()
    google.consent("https://www.googleapis.com/auth/calendar")
    with service(google, "calendar", "v3") as client:
        yield client


@pytest.fixture
def gmail(google):
    """A client of the Gmail API, without limits in the way."""
    google.unlimited()
    google.consent("https://mail.google.com/")
    with service(google, "gmail", "v1") as client:
        yield client
