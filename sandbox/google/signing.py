"""Identity tokens, signed with a key of this sandbox's own."""

import functools
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

ISSUER = "https://accounts.google.com"


@functools.cache
def _key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "sandbox-1", "use": "sig", "alg": "RS256"}, private=True)


def certs() -> dict[str, Any]:
    """The public keys, as a JSON Web Key Set."""
    return dict(KeySet([_key()]).as_dict(private=False))


def sign(claims: dict[str, Any]) -> str:
    """The claims as a token of Google's."""
    return jwt.encode({"alg": "RS256", "kid": "sandbox-1", "typ": "JWT"}, {"iss": ISSUER} | claims, _key())
