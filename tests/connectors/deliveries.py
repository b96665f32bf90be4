"""Signed deliveries, and what a connector makes of one: it waits for nothing, so no loop is needed."""

import hashlib
import hmac
import uuid
from datetime import UTC, datetime

from connectors.webhooks import Delivery, Forged, Stored

SECRET = "whsec_one"
REFUSALS = {
    "The delivery has no Stripe-Signature with one time in it.",
    "The delivery does not say when it was signed.",
    "The delivery was signed at another time than now.",
    "The signature is not that of this delivery.",
}
"""All that a refusal may say: nothing of what was delivered."""


def signature(message, secret=SECRET):
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def event_of(webhooks, headers, body, *, now, secrets=(SECRET,)):
    """The event, or None where the delivery is refused. Nothing else than Forged may be raised."""
    refusal = "it waits for something"
    asked = webhooks.verify(Delivery(headers, body, now), secrets, address="http://here")
    try:
        asked.send(None)
    except StopIteration as done:
        return done.value
    except Forged as forged:
        refusal = str(forged)
    assert refusal in REFUSALS
    return None


def meaning_of(webhooks, body, kind=None):
    return webhooks.meaning(Stored(uuid.uuid4(), kind, body, {}, datetime.now(UTC)))


def edited(text, chance):
    """The text with one character changed, doubled, left out, in the other case, or cut off."""
    at = chance.randrange(len(text))
    before, one, after = text[:at], text[at], text[at + 1 :]
    other = chance.choice([char for char in "09afé_ \x00\x1b\uff11" if char != one])
    return chance.choice([before + other + after, before + one + one + after, before + after, before])
