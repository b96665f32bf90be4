"""Google's signing keys, and what a token that Pub/Sub signs must say.

The keys are kept for as long as the process lives: stale ones hold while Google is down, and whatever keys are asked
for, Google is asked at most once in ten seconds. https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any
from urllib.parse import urlsplit

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from connectors.answers import Answer, UnparsableError
from connectors.api import Api
from connectors.client import Client
from connectors.errors import ConnectorError, Unavailable
from connectors.google_settings import TITLE, load
from connectors.request import get
from connectors.session import Bucket, RequestRecord, Session
from connectors.webhooks import TOLERANCE_SECONDS, Forged

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
ALGORITHMS = ["RS256"]
AGAIN_SECONDS = 10.0
STALE_SECONDS = 6 * 3600.0
FETCH_SECONDS = 8.0
LONGEST_TOKEN = 8_192
MOST_KEYS = 100
"""Google has two or three at a time."""
SHORTEST_KEY = 2_048
"""Bits, https://datatracker.ietf.org/doc/html/rfc7518#section-3.3"""

Keys = Mapping[str, RSAKey]


class _Unlimited:
    """Keys are public and have no limits of ours."""

    async def take(self, buckets: Sequence[Bucket], deadline: float) -> None:
        del buckets, deadline

    async def pause(self, buckets: Sequence[Bucket], seconds: float) -> None:
        del buckets, seconds


class GoogleKeys:
    """The keys of one address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: Keys = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def find(self, key_id: str) -> RSAKey | None:
        """The key of that id; None when Google has no such key. Unavailable when no key at all is to be had."""
        known = key_id in self._keys
        stale = time.monotonic() - self._fetched_at > STALE_SECONDS
        if not known or (stale and not self._asking.locked()):  # whoever has a key does not wait for another's answer
            async with self._asking:
                await self._ask_again(key_id)
        if not self._keys:
            raise Unavailable(TITLE)
        return self._keys.get(key_id)

    async def _ask_again(self, key_id: str) -> None:
        now = time.monotonic()
        fresh = key_id in self._keys and now - self._fetched_at <= STALE_SECONDS
        if fresh or now - self._asked_at < AGAIN_SECONDS:
            return
        self._asked_at = now
        try:
            self._keys = await _fetch(self._url)
        except ConnectorError:
            return  # what is known holds on
        self._fetched_at = now


async def _fetch(url: str) -> Keys:
    parts = urlsplit(url)
    # The deadline is now: it is asked once, and not again after a failure.
    session = Session({}, "", "live", _Unlimited(), _unrecorded, deadline=time.monotonic())
    origin = f"{parts.scheme}://{parts.netloc}"
    api = Api("google", TITLE, origin, {}, lambda *_: (), lambda _: None, lambda _, buckets: buckets, lambda _: {})
    try:
        async with asyncio.timeout(FETCH_SECONDS), Client(api, session) as client:
            return await client.ask(get(parts.path), _parse)
    except TimeoutError:
        raise Unavailable(TITLE) from None


def _unrecorded(request: RequestRecord) -> None:
    """It is no request to an account."""
    del request


class _Key(msgspec.Struct):
    kid: Any = None
    kty: Any = None
    n: Any = None
    e: Any = None


class _KeySet(msgspec.Struct):
    keys: list[_Key]


_key_set = msgspec.json.Decoder(_KeySet).decode


def _parse(answer: Answer) -> Keys:
    """The keys that can be used; an answer without any is none."""
    try:
        given = _key_set(answer.content).keys[:MOST_KEYS]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UnparsableError from None
    keys = {one.kid: key for one in given if isinstance(one.kid, str) and (key := _imported(one)) is not None}
    if not keys:
        raise UnparsableError
    return keys


def _imported(given: _Key) -> RSAKey | None:
    if given.kty != "RSA" or not isinstance(given.n, str) or not isinstance(given.e, str):
        return None
    if len(given.n) * 6 < SHORTEST_KEY:  # six bits a character
        return None
    try:
        return RSAKey.import_key({"kty": "RSA", "n": given.n, "e": given.e})
    except (JoseError, ValueError, TypeError, OverflowError):
        return None


_of: dict[str, GoogleKeys] = {}


async def claims_of(token: str, *, audience: str, email: str, now: float) -> Mapping[str, Any]:
    """What Google vouches for in the token. Forged unless it was signed for us, of late, as that service account."""
    url = load().jwks_url
    keys = _of.setdefault(url, GoogleKeys(url))
    claims = await _signed(token, keys)
    if not _number(claims.get("exp"), 0) > now:
        raise Forged("The token has expired.")
    if not _number(claims.get("iat"), inf) <= now + TOLERANCE_SECONDS:
        raise Forged("The token is of a time to come.")
    if claims.get("iss") not in ISSUERS:
        raise Forged("The token was not issued by Google.")
    if claims.get("aud") != audience:
        raise Forged("The token is for another address.")
    if claims.get("email") != email or claims.get("email_verified") is not True:
        raise Forged("The token is of another service account.")
    return claims


async def _signed(token: str, keys: GoogleKeys) -> Mapping[str, Any]:
    """The claims, once the signature is Google's. Nothing in the token says which keys or algorithms are good."""
    if not token or len(token) > LONGEST_TOKEN or not token.isascii():
        raise Forged("The delivery carries no token.")
    try:
        header = jws.extract_compact(token.encode()).headers()
        key_id = header.get("kid")
        if header.get("alg") not in ALGORITHMS or not isinstance(key_id, str):
            raise Forged("The token is not signed as Google signs.")
        key = await keys.find(key_id)
        if key is None:
            raise Forged("The token is not signed by Google.")
        claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Forged("The token is not signed by Google.") from None
    if not isinstance(claims, dict):
        raise Forged("The token says nothing.")
    return claims


def _number(value: object, otherwise: float) -> float:
    """As it is: an integer may be larger than any float."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
