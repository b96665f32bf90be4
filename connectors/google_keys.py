"""Google's signing keys, and what a token that Pub/Sub signs must say.

The keys are kept for as long as the process lives: stale ones hold while Google is down, and whatever keys are asked
for, Google is asked at most once in ten seconds. https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
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

ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
ALGORITHMS = ["RS256"]
AGAIN_SECONDS = 10.0
STALE_SECONDS = 6 * 3600.0
FETCH_SECONDS = 8.0
LONGEST_TOKEN = 8_192

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
        if key_id not in self._keys or time.monotonic() - self._fetched_at > STALE_SECONDS:
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
            self._keys = await _fetch(self._url) or self._keys
            self._fetched_at = now
        except ConnectorError:
            return  # what is known holds on


async def _fetch(url: str) -> Keys:
    parts = urlsplit(url)
    session = Session({}, "", "live", _Unlimited(), _unrecorded, deadline=time.monotonic() + FETCH_SECONDS)
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


def _parse(answer: Answer) -> Keys:
    try:
        found = msgspec.json.decode(answer.content)
        given = [one for one in found["keys"] if one.get("kty") == "RSA" and isinstance(one.get("kid"), str)]
        return {one["kid"]: RSAKey.import_key({name: one[name] for name in ("kty", "n", "e", "kid")}) for one in given}
    except (msgspec.MsgspecError, JoseError, UnicodeDecodeError, RecursionError, ValueError, TypeError, KeyError):
        raise UnparsableError from None
    except AttributeError:  # a key that is no object
        raise UnparsableError from None


_of: dict[str, GoogleKeys] = {}


async def claims_of(token: str, *, audience: str, email: str, now: float) -> Mapping[str, Any]:
    """What Google vouches for in the token. Forged unless it was signed for us, of late, as that service account."""
    url = load().jwks_url
    keys = _of.setdefault(url, GoogleKeys(url))
    claims = await _signed(token, keys)
    if _number(claims.get("exp"), 0.0) <= now:
        raise Forged("The token has expired.")
    if _number(claims.get("iat"), float("inf")) > now + TOLERANCE_SECONDS:
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
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
