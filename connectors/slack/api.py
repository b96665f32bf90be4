"""Slack's HTTP: the token, the limits of each method and workspace, and what its refusals mean."""

from collections.abc import Callable, Mapping, Sequence

from connectors.answers import Answer
from connectors.api import Api
from connectors.client import Client
from connectors.errors import Reconnect
from connectors.session import Bucket, Limit, Session
from connectors.slack.answers import refused
from connectors.slack.settings import NAME, TITLE, load

SignIn = Callable[[Mapping[str, str]], Mapping[str, str]]

_UNPUBLISHED = Limit(20, 60)
"""For a method whose tier we do not know, that of the slower lists."""


def open_client(session: Session) -> Client:
    """A client that speaks for the workspace of the session's `access_token`."""
    return Client(api_of(session.scope, sign_in), session)


def open_anonymous_client(session: Session) -> Client:
    """A client for the token endpoint: no token is sent."""
    return Client(api_of("", lambda _: {}), session)


def api_of(scope: str, signing: SignIn) -> Api:
    """Slack for the workspace that *scope* names in limits."""
    settings = load()
    limits = settings.limits

    def buckets(method: str, route: str) -> Sequence[Bucket]:
        del method
        name = route.removeprefix("/api/")
        return (Bucket(NAME, name, scope, limits.get(name, _UNPUBLISHED)),)

    return Api(NAME, TITLE, settings.api_url, {}, buckets, refused, paused, signing)


def sign_in(credentials: Mapping[str, str]) -> Mapping[str, str]:
    """The token as Slack wants it sent."""
    token = credentials.get("access_token", "")
    if not token:
        raise Reconnect(TITLE)
    return {"authorization": f"Bearer {token}"}


def paused(answer: Answer, buckets: Sequence[Bucket]) -> Sequence[Bucket]:
    """All: each method has one limit."""
    del answer
    return buckets
