"""Gmail's pushes: a mailbox has changed, told by Pub/Sub with a token that Google signed.

https://developers.google.com/workspace/gmail/api/guides/push
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec

from connectors.errors import Misconfigured
from connectors.gmail.settings import TITLE, load
from connectors.google_keys import claims_of
from connectors.webhooks import Concerned, Delivery, Event, Forged, Meaning, Stored, Webhooks, name_in

_NO_MESSAGE = "Pub/Sub sent this, but it names no mailbox."


class _Message(msgspec.Struct):
    data: Any = None
    messageId: Any = None  # noqa: N815 - Google's name


class _Envelope(msgspec.Struct):
    message: _Message


class _Data(msgspec.Struct):
    emailAddress: str  # noqa: N815 - Google's name


_envelope = msgspec.json.Decoder(_Envelope).decode
_data = msgspec.json.Decoder(_Data).decode


class GmailWebhooks(Webhooks):
    """One address for all mailboxes. The history id in a push is never where we go on: pushes come late and twice."""

    async def verify(self, delivery: Delivery, secrets: Sequence[str] | None, *, address: str) -> Event:
        del secrets
        settings = load()
        if not settings.push_service_account:
            raise Misconfigured(
                TITLE,
                "SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT is not set: set it to that of the push subscription.",
            )
        scheme, _, token = delivery.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Forged("The delivery carries no token.")
        audience = settings.push_audience or address
        await claims_of(token.strip(), audience=audience, email=settings.push_service_account, now=delivery.at)
        return _event(delivery.body)

    def meaning(self, event: Stored) -> Meaning:
        del event
        return Meaning(subjects=[""])


def _event(body: bytes) -> Event:
    try:
        message = _envelope(body).message
        text = message.data if isinstance(message.data, str) else ""
        told = _data(base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, binascii.Error, ValueError):
        return Event(malformed=_NO_MESSAGE)
    if not told.emailAddress or not told.emailAddress.isprintable():
        return Event(malformed=_NO_MESSAGE)
    return Event(name_in(message.messageId), "history", [Concerned(told.emailAddress)])
