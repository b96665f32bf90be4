"""Stripe's webhooks. An event is a hint of what to read: its snapshot may be old, and of another shape.

https://docs.stripe.com/webhooks, https://docs.stripe.com/api/events/object
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from connectors import spans
from connectors.errors import Misconfigured
from connectors.session import Mode
from connectors.signatures import check_signature, secrets_in, signed_at
from connectors.stripe.hints import read_events
from connectors.stripe.settings import TITLE, load
from connectors.webhooks import Concerned, Delivery, Event, Forged, Meaning, Stored, Webhooks, name_in

_HEADER = "stripe-signature"
_SCHEME = "v1"
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
    parts = [[*part.split("=", 2), ""] for part in delivery.headers.get(_HEADER, "").split(",")]
    times = [value for name, value, *_ in parts if name == "t"]
    if len(times) != 1:
        raise Forged("The delivery has no Stripe-Signature with one time in it.")
    at = signed_at(times[0], delivery.at)
    signatures = [value for name, value, *_ in parts if name == _SCHEME]
    check_signature(b"%d.%b" % (at, delivery.body), secrets, signatures)


def _event(body: bytes) -> Event:
    found = _opened(body)
    kind = name_in(found.type)
    if not name_in(found.id) or not read_events([body]) or (found.account and not name_in(found.account)):
        return Event(type=kind, malformed=_NO_EVENT)
    mode: Mode = "test" if found.livemode is False else "live"
    accounts = [Concerned(found.account, mode)] if found.account else []
    return Event(found.id, kind, accounts, {"mode": mode})


def _opened(body: bytes) -> _Event:
    """The members that decide whose it is, also of an event that a parser refuses."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        told = spans.scalars(body)
        return _Event(*(told.get(name) for name in _Event.__struct_fields__))
