"""Who is turned away at the door, before anything is looked up."""

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.requests import Request

from deployments.web_settings import Web, origin_of
from web.problems import Problem

API = "/api/"
METRICS = "/metrics"
WEBHOOKS = "/webhooks/"
PREFIX = "/api/v1"
PROBES = frozenset({"/healthz", "/readyz"})
"""Asked by machines that know the address alone, so for any host."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CHANGES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def refusal(request: Request, web: Web) -> Problem | None:
    """Why this request goes no further; None when it may."""
    for check in CHECKS:
        if problem := check(request, web):
            return problem
    return None


def _unknown_host(request: Request, web: Web) -> Problem | None:
    """Another name that leads here may be somebody's trick to have a browser speak to us as its own site."""
    if request.scope["path"] in PROBES:
        return None
    said = request.headers.getlist("host")
    scheme = web.public_url.partition(":")[0]
    plain = len(said) == 1 and not set(said[0]) & set("/?#")
    origin = origin_of(f"{scheme}://{said[0].lower()}") if plain else None
    if origin and (origin == web.public_url or urlsplit(origin).hostname in LOOPBACK):
        return None
    return Problem(
        400, "unknown_host", "This host name does not belong here.", "Use the address that SYNCLINE_PUBLIC_URL names."
    )


def _foreign_origin(request: Request, web: Web) -> Problem | None:
    """A change that another site's page has a browser ask for."""
    if request.method in CHANGES_NOTHING:
        return None
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site == "same-origin" or (site in {None, "none"} and (origin is None or _is_ours(origin, request, web))):
        return None
    return Problem(
        403, "foreign_origin", "This request comes from a page of another site.", "Open the page here and try again."
    )


def _is_ours(origin: str, request: Request, web: Web) -> bool:
    here = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    return origin.lower() in {web.public_url, here.lower()}


def _without_token(request: Request, web: Web) -> Problem | None:
    path = request.scope["path"]
    if not path.startswith(API) and path != METRICS:
        return None
    said = request.headers.getlist("authorization")
    scheme, _, token = said[0].partition(" ") if len(said) == 1 else ("", "", "")
    # Of hashes, so that the time taken tells nothing of the token, not even its length.
    given, wanted = (sha256(text.encode("latin-1", "replace")).digest() for text in (token.strip(), web.admin_token))
    if hmac.compare_digest(given, wanted) and scheme.lower() == "bearer":
        return None
    return Problem(
        401,
        "unauthorized",
        "This address needs the admin token.",
        "Send it as `Authorization: Bearer …`: SYNCLINE_ADMIN_TOKEN, or what is in SYNCLINE_HOME/admin.token.",
        {"WWW-Authenticate": 'Bearer realm="syncline"'},
    )


def _unreadable_body(request: Request, _: Web) -> Problem | None:
    """Only plain JSON for programs and plain forms for pages."""
    headers = request.headers
    pushed = request.scope["path"].startswith(WEBHOOKS)
    if (pushed and "content-encoding" in headers) or headers.get("content-encoding", "identity").lower() != "identity":
        return Problem(415, "encoded_body", "The body is compressed.", "Send it as it is, without Content-Encoding.")
    if pushed:  # its signature says what it is
        return None
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return None
    wanted = JSON if request.scope["path"].startswith(API) else FORM
    if headers.get("content-type", "").partition(";")[0].strip().lower() == wanted:
        return None
    return Problem(415, "unsupported_media_type", f"The body is not {wanted}.", f"Send `Content-Type: {wanted}`.")


CHECKS: Sequence[Callable[[Request, Web], Problem | None]] = (
    _unknown_host,
    _foreign_origin,
    _without_token,
    _unreadable_body,
)
