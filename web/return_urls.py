"""Where a browser may be sent back to after connecting: addresses of known origins, and nothing that looks like one."""

from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from deployments.web_settings import origin_of

LONGEST = 2000
OURS = frozenset({"connection_id", "status"})


def is_allowed(url: str, origins: Collection[str]) -> bool:
    """Whether *url* is an absolute address of one of these origins, written as plainly as browsers read it."""
    return (
        len(url) <= LONGEST
        and "#" not in url
        and url.startswith(("http://", "https://"))
        and not url.partition("://")[2].startswith("/")
        and origin_of(url) in origins
    )


def with_result(url: str, status: str, connection_id: str | None) -> str:
    """*url* with what became of it in its query; what it said of that itself is dropped."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in OURS]
    query += [("connection_id", connection_id)] if connection_id else []
    return urlunsplit(parts._replace(query=urlencode([*query, ("status", status)])))
