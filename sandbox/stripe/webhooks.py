"""Stripe's webhook endpoints: of one account, or of a platform for all accounts that are connected to it.

https://docs.stripe.com/webhooks/signature
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.courier import Courier, checked
from sandbox.provider import WrongCall

DEMO_SECRET = "whsec_sandbox_demo"  # noqa: S105 -- of nothing but this sandbox


@dataclass(slots=True)
class Endpoint:
    """Where events go; `account` None stands for all accounts, whose events then name theirs."""

    url: str
    secrets: list[str]
    account: str | None = None
    mode: str | None = None
    events: list[str] = field(default_factory=list)
    """The types that it wants; all where there are none."""


class Webhooks:
    """All endpoints, and what goes to them."""

    def __init__(self, courier: Courier) -> None:
        self.courier = courier
        self.endpoints: list[Endpoint] = []

    def register(self, account: str | None, mode: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        """`{url, secret?, rolled?, events?}`: one more endpoint; `rolled` is a secret that still signs too."""
        secret = body.get("secret") or f"whsec_{secrets.token_hex(16)}"
        both = [secret, *([body["rolled"]] if body.get("rolled") else [])]
        self.endpoints.append(Endpoint(checked(body["url"]), both, account, mode, list(body.get("events") or ())))
        return {"url": body["url"], "secret": secret}

    def tell(self, account: str, mode: str, event: dict[str, Any]) -> None:
        """The event goes to whoever wants it."""
        for endpoint in self.endpoints:
            if endpoint.account not in {None, account} or endpoint.mode not in {None, mode}:
                continue
            if endpoint.events and event["type"] not in endpoint.events:
                continue
            told = event if endpoint.account else event | {"account": account}
            self._send(endpoint, account, told)

    def _send(self, endpoint: Endpoint, account: str, event: dict[str, Any]) -> None:
        body = orjson.dumps(event, option=orjson.OPT_INDENT_2)

        def sign(_: int) -> dict[str, str]:
            at = int(time.time())
            parts = [f"t={at}", *(f"v1={_signature(secret, at, body)}" for secret in endpoint.secrets)]
            return {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "Stripe-Signature": ",".join(parts),
            }

        self.courier.send(account, str(event["id"]), endpoint.url, body, sign=sign)


def _signature(secret: str, at: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d.%b" % (at, body), hashlib.sha256).hexdigest()


def call_of(path: str) -> str:
    """The courier's call in a control path such as `webhooks/hold`."""
    name, _, call = path.partition("/")
    if name != "webhooks" or not call:
        raise WrongCall("there are webhooks/register and those of the courier")
    return call
