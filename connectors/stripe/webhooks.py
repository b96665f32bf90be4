"""Stripe's webhooks. An event is a hint of what to read: its snapshot may be old, and of another shape.

https://docs.stripe.com/webhooks, https://docs.stripe.com/api/events/object
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from connectors.errors import Misconfigured
from connectors.session import Mode
from connectors.signatures import check_signature, secrets_in, signed_at
from connectors.stripe.hints import read_events
from connectors.stripe.settings import TITLE, load
from connectors.webhooks import Concerned, Delivery, Event, Forged, Meaning, Stored, Webhooks

_HEADER = "stripe-signature"
_SCHEME = "v1"
_MOST_PARTS = 32
_NO_EVENT = "Stripe signed this, but it is not an event with an id and an object."


class _Event(msgspec.Struct):
    id: Any = None
    type: Any = None
    account: Any = None
    livemode: Any = None


_decode = msgspec.json.Decoder(_Event).decode


class StripeWebhooks(Webhooks):
    """Endpoints of one account vouch for it by their own secret; an app-wide one says whose each event is."""

    own_secret = "webhook_secret"  # noqa: S105 -- the field's name

    async def verify(self, delivery: Delivery, secrets: Sequence[str] | None, *, address: str) -> Event:
        del address
        if secrets is None:
            secrets = secrets_in(load().webhook_secret.get_secret_value())
            if not secrets:
                raise Misconfigured(
                    TITLE, "SYNCLINE_STRIPE_WEBHOOK_SECRET is not set: set it to the endpoint's secret."
                )
        _check(delivery, secrets)
        return _event(delivery.body)

    def meaning(self, event: Stored) -> Meaning:
        events = read_events([event.body])
        if not events:
            return Meaning(malformed=_NO_EVENT)
        return Meaning(touched=[(stream, (key,)) for stream, key in events[0].touches])


def _check(delivery: Delivery, secrets: Sequence[str]) -> None:
    parts = [part.partition("=") for part in delivery.headers.get(_HEADER, "").split(",", _MOST_PARTS)]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1:
        raise Forged("The delivery has no Stripe-Signature with one time in it.")
    at = signed_at(times[0], delivery.at)
    signatures = [value for name, _, value in parts if name == _SCHEME]
    check_signature(b"%d.%b" % (at, delivery.body), secrets, signatures)


def _event(body: bytes) -> Event:
    try:
        found = _decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Event(malformed=_NO_EVENT)
    if not isinstance(found.id, str) or not found.id or not read_events([body]):
        return Event(type=found.type if isinstance(found.type, str) else None, malformed=_NO_EVENT)
    mode: Mode = "test" if found.livemode is False else "live"
    accounts = [Concerned(found.account, mode)] if isinstance(found.account, str) and found.account else []
    kind = found.type if isinstance(found.type, str) else None
    return Event(found.id, kind, accounts, {"mode": mode})
