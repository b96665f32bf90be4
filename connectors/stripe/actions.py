"""What Stripe is asked to do, under an idempotency key of ours.

Stripe keeps a key for at least 24 hours and gives the first answer again, so an answer that was lost is asked for with
the same key, in the first 23 hours; where that does not tell either, Stripe's events may.
https://docs.stripe.com/api/idempotent_requests
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from pydantic import Field

from connectors.actions import Action, Asked, Id, Result, Sending, Text
from connectors.addresses import target
from connectors.answers import Answer, Parse, UnparsableError
from connectors.client import Client
from connectors.errors import Declined, Missing, Refused, Unproved
from connectors.request import Request
from connectors.stripe.api import Objection
from connectors.stripe.proof import caused
from connectors.stripe.reasons import reason
from connectors.stripe.settings import TITLE

KEPT = timedelta(hours=23)
"""So long after the first attempt a key surely stands for it."""

_ONE = "/v1/subscriptions/{id}"
_EXPANDED = {"expand[0]": "latest_invoice.confirmation_secret", "expand[1]": "pending_setup_intent"}
_FORM = "application/x-www-form-urlencoded"
_NOT_PERMITTED = (
    "This {provider} key may not do this. Give the key permission to write subscriptions on the API keys page of the "
    "{provider} dashboard, or connect again with a key that has it."
)


class _Secret(msgspec.Struct):
    client_secret: str | None = None


class _Invoice(msgspec.Struct):
    confirmation_secret: _Secret | None = None


class _Subscription(msgspec.Struct):
    id: str
    cancel_at_period_end: bool
    cancel_at: int | None = None
    latest_invoice: _Invoice | str | None = None
    pending_setup_intent: _Secret | str | None = None


_decode = msgspec.json.Decoder(_Subscription).decode


# https://docs.stripe.com/metadata
_Name = Annotated[Text, Field(min_length=1, max_length=40, pattern=r"^[^\[\]]*$")]
_Value = Annotated[Text, Field(max_length=500)]


class NewSubscription(Asked):
    """A customer and what is to be billed, https://docs.stripe.com/api/subscriptions/create."""

    customer: Id = Field(description="The customer's id, such as cus_….", examples=["cus_NffrFeUfNV2Hib"])
    price: Id = Field(description="The id of a recurring price, such as price_….", examples=["price_1MoBy5LkdIwHu7ix"])
    metadata: Annotated[dict[_Name, _Value], Field(max_length=50)] = Field(
        default_factory=dict, description="Up to 50 names of up to 40 characters, each with up to 500."
    )


class SubscriptionToCancel(Asked):
    subscription: Id = Field(description="The subscription's id, such as sub_….", examples=["sub_1MowQVLkdIwHu7ix"])


class CreateSubscription(Action):
    name = "stripe.create_subscription"
    summary = "Subscribe a customer to a price; nothing is charged before the payment is confirmed."
    body = NewSubscription

    async def perform(self, client: Client, asked: NewSubscription, sending: Sending) -> Result:
        fields = {
            "customer": asked.customer,
            "items[0][price]": asked.price,
            "payment_behavior": "default_incomplete",
        } | _EXPANDED
        fields |= {f"metadata[{name}]": value for name, value in asked.metadata.items()}
        return await _told(client, _post("/v1/subscriptions", fields, sending), _created)

    async def look(self, client: Client, asked: NewSubscription, sending: Sending) -> Result:
        try:
            return await _asked_again(self, client, asked, sending)
        except Unproved:
            made = await caused(client, "customer.subscription.created", _key(sending), sending.age)
        if made is None:
            raise Unproved(TITLE)
        return await client.get(_ONE, _created, _EXPANDED, id=made)


class CancelSubscription(Action):
    name = "stripe.cancel_subscription"
    summary = "Have a subscription end with the period that is paid."
    body = SubscriptionToCancel

    async def perform(self, client: Client, asked: SubscriptionToCancel, sending: Sending) -> Result:
        request = _post(_ONE, {"cancel_at_period_end": "true"}, sending, id=asked.subscription)
        return await _told(client, request, _cancelled)

    async def look(self, client: Client, asked: SubscriptionToCancel, sending: Sending) -> Result:
        try:
            return await _asked_again(self, client, asked, sending)
        except Unproved:
            changed = await caused(client, "customer.subscription.updated", _key(sending), sending.age)
        if changed is None:
            raise Unproved(TITLE)
        return await client.get(_ONE, _cancelled, id=changed)


ACTIONS = (CreateSubscription(), CancelSubscription())


async def _asked_again(action: Action, client: Client, asked: Asked, sending: Sending) -> Result:
    """The first answer, as long as Stripe keeps it."""
    if sending.age > KEPT:
        raise Unproved(TITLE)
    return await action.perform(client, asked, sending)


def _key(sending: Sending) -> str:
    return f"syncline-{sending.key}"


def _post(route: str, fields: Mapping[str, str], sending: Sending, **path_values: str) -> Request:
    headers = {"content-type": _FORM, "idempotency-key": _key(sending)}
    return Request("POST", route, target(route, None, path_values), urlencode(fields).encode(), headers)


async def _told(client: Client, request: Request, parse: Parse[Result]) -> Result:
    """What Stripe answers; Declined, with the reason in plain words, when it does not do it."""
    try:
        return await client.send(request, parse, repeatable=True)
    except Objection as objection:
        raise Declined(TITLE, reason(objection.reason, objection.decline, objection.param)) from None
    except Missing as missing:
        raise Declined(TITLE, reason("resource_missing", None, missing.param)) from None
    except Refused:
        raise Refused(TITLE, _NOT_PERMITTED) from None


def _read(answer: Answer) -> _Subscription:
    try:
        return _decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnparsableError from None


def _created(answer: Answer) -> Result:
    """The secret with which the customer's browser confirms the payment, or the card where nothing is due yet."""
    made = _read(answer)
    secrets = (
        made.latest_invoice.confirmation_secret if isinstance(made.latest_invoice, _Invoice) else None,
        made.pending_setup_intent if isinstance(made.pending_setup_intent, _Secret) else None,
    )
    secret = next((each.client_secret for each in secrets if each and each.client_secret), None)
    return {"subscription_id": made.id, "client_secret": secret}


def _cancelled(answer: Answer) -> Result:
    """`cancel_at` in Unix seconds, as Stripe has it."""
    found = _read(answer)
    return {
        "subscription_id": found.id,
        "cancel_at_period_end": found.cancel_at_period_end,
        "cancel_at": found.cancel_at,
    }
