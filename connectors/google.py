"""What Google's APIs have in common: how one is opened for an account, and what it is asked.

`google_requests` builds requests, `google_errors` judges refusals, `google_lists` takes lists apart, `google_oauth`
connects accounts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.answers import Answer
from connectors.api import Api
from connectors.client import Client
from connectors.errors import Reconnect
from connectors.google_errors import is_about_project, judge
from connectors.google_requests import google_request
from connectors.limits import rate_limits
from connectors.request import Request
from connectors.session import Bucket, Limit, Session

Cost = Callable[[str, str], int]
"""The units that a method and a route's template take of the limits."""


def one_each(method: str, route: str) -> int:
    """Every request counts as one."""
    del method, route
    return 1


@dataclass(frozen=True, slots=True)
class GoogleApi:
    """One of Google's APIs: the connector that reads it, its discovery document, where it is and what it allows."""

    connector: str
    title: str
    document: str
    """Such as `calendar.v3`; it comes with google-api-python-client."""
    origin: Callable[[], str]
    user: Limit
    """For each account, in units."""
    project: Limit
    """For all accounts of the OAuth client's project together."""
    cost: Cost = one_each

    def open(self, session: Session) -> Client:
        """A client that speaks for the account of the session's access token."""
        if not session.credentials.get("access_token"):
            raise Reconnect(self.title)
        limits = rate_limits(self.connector, self.title, {"user": self.user, "project": self.project})

        def buckets(method: str, route: str) -> Sequence[Bucket]:
            units = self.cost(method, route)
            return (
                Bucket(self.connector, "user", session.scope, limits["user"], units),
                Bucket(self.connector, "project", "", limits["project"], units),
            )

        return Client(
            Api(
                self.connector,
                self.title,
                self.origin(),
                {"user-agent": "syncline (gzip)"},  # without the word there Google does not compress
                buckets,
                judge(self.title),
                paused,
                bearer,
            ),
            session,
        )

    def request(self, client: Client, method: str, /, body: Any = None, **parameters: Any) -> Request:
        """The request for *method*, such as `events.list`, with the discovery document's own parameters."""
        return google_request(self.document, client.api.origin, method, body, **parameters)


def bearer(credentials: Mapping[str, str]) -> Mapping[str, str]:
    """The header that carries the access token."""
    return {"authorization": f"Bearer {credentials['access_token']}"}


def paused(answer: Answer, buckets: Sequence[Bucket]) -> Sequence[Bucket]:
    """The buckets that a refusal is about: the account's, unless Google says that the project's day is spent."""
    wanted = "project" if is_about_project(answer) else "user"
    return [bucket for bucket in buckets if bucket.name == wanted]
