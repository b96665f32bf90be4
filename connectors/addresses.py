"""Where requests may go: one configured origin, and below it a path whose parts stay parts."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from connectors.errors import Misconfigured

_HOST = re.compile(r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def check_origin(title: str, variable: str, url: str) -> str:
    """*url* as an origin: https, or http on loopback. Misconfigured, naming *variable*, when it is anything else."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port  # a port that is none is noticed when it is asked for
    except ValueError:
        parts, host = urlsplit(""), None
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    bare = parts.path in {"", "/"} and not parts.query and not parts.fragment and _HOST.fullmatch(parts.netloc)
    if not (secure and bare):
        raise Misconfigured(
            title,
            f"{variable} must be an address such as https://api.example.com, without a path; "
            "http is only for this machine.",
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def target(route: str, params: Mapping[str, str | int] | None, values: Mapping[str, str]) -> bytes:
    """Path and query as they are sent, *values* percent-encoded into *route*; the host is never part of it."""
    path = route.format_map({name: _segment(value) for name, value in values.items()}) if values else route
    return f"{path}?{urlencode(params)}".encode() if params else path.encode()


def built_target(origin: str, url: str) -> bytes:
    """Path and query of an address that somebody else has built. ValueError unless it lies below *origin*."""
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc.lower()}" != origin or parts.fragment:
        raise ValueError("an address with another origin")
    return f"{parts.path}?{parts.query}".encode() if parts.query else parts.path.encode()


def _segment(value: str) -> str:
    """One segment of a path and never more: no slash, no dots that climb."""
    encoded = quote(value.encode("utf-8", "surrogatepass"), safe="")
    return encoded.replace(".", "%2E") if encoded.strip(".") == "" else encoded
