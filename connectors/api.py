"""What sets one provider's HTTP apart from another's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.answers import Answer
from connectors.errors import ConnectorError, Reconnect
from connectors.session import Bucket

_MALFORMED = (
    "These {provider} credentials hold characters that no key has, such as line breaks or accents. "
    "Copy the key again, whole and alone, and connect once more."
)


@dataclass(frozen=True, slots=True)
class Api:
    """One provider for one account."""

    connector: str
    title: str
    origin: str
    """Scheme, host and port: the only place that requests are sent to."""
    headers: Mapping[str, str] = field(repr=False)
    """Sent with every request, beside those that carry the credentials."""
    buckets: Callable[[str, str], Sequence[Bucket]]
    """The allowances that a method and a route's template draw on."""
    judge: Callable[[Answer], ConnectorError | None]
    """What a refusal means; None when it is not in the provider's own words, so that it proves nothing."""
    paused: Callable[[Answer, Sequence[Bucket]], Sequence[Bucket]]
    """Which of a request's buckets a "too many requests" is about."""
    sign_in: Callable[[Mapping[str, str]], Mapping[str, str]]
    """The headers that carry these credentials."""

    def sent_headers(self, credentials: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        """The headers as they are sent; Reconnect when a value could not be one, so that nothing is smuggled in."""
        headers = {"accept": "application/json", "accept-encoding": "gzip", "user-agent": "syncline"}
        headers |= {name.lower(): value for name, value in (*self.headers.items(), *self.sign_in(credentials).items())}
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise Reconnect(self.title, _MALFORMED, code="malformed_credentials")
        return [(name.encode(), value.encode()) for name, value in headers.items()]
