"""Google's token endpoint: what it is asked, and what its answers mean."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from connectors.answers import Answer, UnparsableError
from connectors.api import Api
from connectors.client import Client
from connectors.errors import Broken, ConnectorError, Misconfigured, Reconnect, Unavailable, Unproved
from connectors.google_settings import load, load_client
from connectors.request import Request
from connectors.session import Session

_CLIENT_REFUSED = (
    "Google does not accept this application: SYNCLINE_GOOGLE_CLIENT_ID or SYNCLINE_GOOGLE_CLIENT_SECRET is wrong, "
    "or the redirect address of SYNCLINE_PUBLIC_URL is not registered for it."
)
_OUR_OWN_FAULT = frozenset(
    {"invalid_client", "unauthorized_client", "redirect_uri_mismatch", "deleted_client", "org_internal"}
)


class Tokens(msgspec.Struct):
    """What the endpoint gave."""

    access_token: str
    expires_in: Any = None
    refresh_token: str | None = None
    scope: Any = None

    @property
    def credentials(self) -> dict[str, str]:
        """The tokens, and when the access token ends, where that is said."""
        seconds = self.expires_in if isinstance(self.expires_in, int | float) else None
        ends = {} if seconds is None else {"expires_at": str(int(time.time() + seconds))}
        rotated = {"refresh_token": self.refresh_token} if self.refresh_token else {}
        return {"access_token": self.access_token} | ends | rotated


class _Refusal(msgspec.Struct):
    error: str


_tokens = msgspec.json.Decoder(Tokens).decode
_refusal = msgspec.json.Decoder(_Refusal).decode


async def ask_for_tokens(
    name: str, title: str, session: Session, grant_type: str, form: Mapping[str, str], *, refused: str
) -> Tokens:
    """The tokens for a code or a refresh token. Sent once: a code is good for one use, whatever becomes of the answer.

    Reconnect says *refused*.
    """
    settings = load_client()
    secret = settings.client_secret.get_secret_value()
    body = prepare_token_request(grant_type, client_id=settings.client_id, client_secret=secret, **form)
    async with _client(name, title, session, settings.token_url, refused) as client:
        try:
            return await client.send(_form(settings.token_url, body), _parse)
        except Unproved:
            pass
    raise Unavailable(title)


async def revoke_token(name: str, title: str, session: Session, token: str) -> None:
    """The token is worth nothing, nor is any other of the same grant; one that was not worth anything stays so."""
    url = load().revoke_url
    async with _client(name, title, session, url, "") as client:
        try:
            await client.send(_form(url, urlencode({"token": token})), lambda _: None, repeatable=True)
        except Reconnect:
            return


def _client(name: str, title: str, session: Session, url: str, refused: str) -> Client:
    """A client for the sign-in alone: it carries no credentials, and Google publishes no limits for it."""
    parts = urlsplit(url)

    def judge(answer: Answer) -> ConnectorError | None:
        return _judge(title, answer, refused)

    api = Api(
        name,
        title,
        f"{parts.scheme}://{parts.netloc}",
        headers={},
        buckets=lambda _method, _route: (),
        judge=judge,
        paused=lambda _answer, _buckets: (),
        sign_in=lambda _credentials: {},
    )
    return Client(api, session)


def _form(url: str, body: str) -> Request:
    path = urlsplit(url).path or "/"
    return Request("POST", path, path.encode(), body.encode(), {"content-type": "application/x-www-form-urlencoded"})


def _parse(answer: Answer) -> Tokens:
    try:
        tokens = _tokens(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnparsableError from None
    if not tokens.access_token:
        raise UnparsableError
    return tokens


def _judge(title: str, answer: Answer, refused: str) -> ConnectorError | None:
    """What a refusal means, by https://datatracker.ietf.org/doc/html/rfc6749#section-5.2; None if it is no such."""
    try:
        error = _refusal(answer.content).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if error in {"invalid_grant", "invalid_token"}:
        return Reconnect(title, refused)
    if error in _OUR_OWN_FAULT:
        return Misconfigured(title, _CLIENT_REFUSED)
    return None if answer.status == HTTPStatus.NOT_FOUND else Broken(title)
