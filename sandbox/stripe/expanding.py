"""`expand` on what is written: objects in the place of their ids, in the answer alone.

https://docs.stripe.com/expand
"""

from typing import Any

import orjson

from sandbox.stripe.errors import Refusal
from sandbox.stripe.kinds import Object
from sandbox.stripe.store import Store

KNOWN = ("latest_invoice", "latest_invoice.confirmation_secret", "pending_setup_intent")


def asked_for(params: Any) -> list[str]:
    """What is to be expanded, taken out of the parameters; or Stripe's refusal."""
    wanted = params.pop("expand", None) or []
    wanted = list(wanted.values()) if isinstance(wanted, dict) else list(wanted)
    for name in wanted:
        if name not in KNOWN:
            raise Refusal(400, f"This property cannot be expanded ({name}).", param="expand")
    return wanted


def expanded(store: Store, body: bytes, wanted: list[str]) -> bytes:
    """The subscription with its first invoice, and what the customer's browser confirms the payment with."""
    if not any(name.startswith("latest_invoice") for name in wanted):
        return body
    obj: Object = orjson.loads(body)
    invoice = store.find("invoices", obj.get("latest_invoice") or "")
    if invoice is not None:
        obj["latest_invoice"] = invoice | (_secret(invoice) if KNOWN[1] in wanted else {})
    return orjson.dumps(obj)


def _secret(invoice: Object) -> Object:
    if invoice["status"] != "open" or not invoice["amount_due"]:
        return {"confirmation_secret": None}
    secret = f"pi_{invoice['id'].removeprefix('in_')}_secret_{invoice['id'][-12:]}"
    return {"confirmation_secret": {"client_secret": secret, "type": "payment_intent"}}
