"""Signatures of deliveries: HMAC-SHA256 in hexadecimal over raw bytes, compared in constant time."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence

from connectors.webhooks import TOLERANCE_SECONDS, Forged

_SECONDS = re.compile(r"[0-9]{1,12}")


def secrets_in(text: str | None) -> tuple[str, ...]:
    """The secrets in a comma-separated list: there is more than one while they are being rotated."""
    return tuple(secret for part in (text or "").split(",") if (secret := part.strip()))


def signed_at(text: str | None, now: float) -> int:
    """The time that was signed, in whole Unix seconds; Forged when it is none, or too far from *now* either way."""
    if text is None or not _SECONDS.fullmatch(text):
        raise Forged("The delivery does not say when it was signed.")
    at = int(text)
    if abs(int(now) - at) > TOLERANCE_SECONDS:
        raise Forged("The delivery was signed at another time than now.")
    return at


def check_signature(message: bytes, secrets: Iterable[str], signatures: Sequence[str]) -> None:
    """Forged unless one of the signatures is that of the message with one of the secrets. Takes as long either way.

    An empty secret signs nothing: anybody could.
    """
    given = [_bytes(signature) for signature in signatures]
    good = False
    for secret in filter(str.strip, secrets):
        expected = hmac.new(_bytes(secret), message, hashlib.sha256).hexdigest().encode()
        for one in given:
            good |= hmac.compare_digest(expected, one)
    if not good:
        raise Forged("The signature is not that of this delivery.")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
