"""One request to the Stripe sandbox, from the key to the answer."""

import asyncio
import time
from typing import Any

from sandbox.courier import Courier
from sandbox.faults import Fault
from sandbox.http import Request
from sandbox.ledger import Entry, Ledger, fingerprint
from sandbox.provider import WrongCall
from sandbox.stripe import control, errors, idempotency, mishaps, routes
from sandbox.stripe.accounts import Accounts, Key, bearer
from sandbox.stripe.errors import Refusal
from sandbox.stripe.forms import Params, parse
from sandbox.stripe.routes import Call, Endpoint
from sandbox.stripe.versions import checked
from sandbox.stripe.webhooks import DEMO_SECRET, Webhooks
from sandbox.wire import Answer

SERVER_ERROR = 500


class Stripe:
    """Stripe's API under `/v1`."""

    name = "stripe"
    paths: tuple[str, ...] = ("/v1/",)

    def __init__(self, ledger: Ledger, courier: Courier) -> None:
        self.ledger = ledger
        self.webhooks = Webhooks(courier)
        self.accounts = Accounts(ledger, self.webhooks)

    async def answer(self, request: Request) -> Answer:
        """What Stripe answers; the ledger knows of it before and after."""
        secret = bearer(request.headers.get("authorization"))
        request_id = errors.new_request_id()
        entry = _entry(request, secret)
        self.ledger.requests.append(entry)
        key = self.accounts.keys.get(secret or "")
        try:
            key = self.accounts.find(request.headers.get("authorization"))
            answer = await self._known(request, key, entry, request_id)
        except Refusal as refusal:
            answer = _refused(refusal, request_id)
        entry.status = answer.status
        entry.done = True
        return _dressed(answer, request, key, request_id)

    def control(self, request: Request, call: str) -> Answer:
        """What a test does to an account; a refusal of Stripe's is a wrong call."""
        try:
            return control.answer(self.accounts, self.webhooks, request, call)
        except Refusal as refusal:
            raise WrongCall(str(refusal)) from refusal

    def addresses(self, base: str) -> dict[str, str]:
        """Where the API is."""
        return {"stripe_api_url": base}

    def settings(self, base: str) -> dict[str, str]:
        """The setting that leads here."""
        return {"SYNCLINE_STRIPE_API_URL": base}

    def deliver_to(self, base: str) -> dict[str, str]:
        """One endpoint for all accounts."""
        self.webhooks.register(None, None, {"url": f"{base}/webhooks/stripe", "secret": DEMO_SECRET})
        return {"SYNCLINE_STRIPE_WEBHOOK_SECRET": DEMO_SECRET}

    async def _known(self, request: Request, key: Key, entry: Entry, request_id: str) -> Answer:
        """The answer to somebody with a key."""
        store = key.store
        entry.account, entry.mode = store.account, store.mode
        shape, endpoint, values = routes.find(request.method, request.path)
        entry.route = shape
        store.limits.take(f"{request.method} {shape}")
        key.check(request.path)
        fault = store.faults.take(request.method, shape, request.path, request.query)
        if fault is not None:
            entry.fault = fault.kind
            answer = await mishaps.instead(fault, key, request.path)
            if answer is not None:
                return answer
        answer = await _worked(request, key, (endpoint, values), fault, request_id)
        return mishaps.afterwards(fault, answer, key, request.path) if fault else answer


async def _worked(
    request: Request, key: Key, target: tuple[Endpoint, dict[str, str]], fault: Fault | None, request_id: str
) -> Answer:
    """The work done, under its idempotency key if it has one, and the latency waited for."""
    store = key.store
    token = request.headers.get("idempotency-key") if request.method == "POST" else None
    version = checked(request.headers.get("stripe-version", store.api_version))
    params = _params(request, fault)
    origin = {"id": request_id, "idempotency_key": token}
    slot = idempotency.claim(store, token, request.path, request.body) if token else None
    if isinstance(slot, Answer):
        return slot
    try:
        endpoint, values = target
        body = endpoint(Call(store, params, values, version, origin))
    except Refusal:
        if token:
            idempotency.release(store, token)
        raise
    answer = Answer(200, body)
    if store.latency:
        await asyncio.sleep(store.latency)
    if slot is not None:
        broken = fault is not None and fault.kind in ("status", "html")  # Stripe keeps and repeats a 500 too
        kept = mishaps.afterwards(fault, answer, key, request.path) if fault and broken else answer
        slot.answer = Answer(kept.status, kept.body, dict(kept.headers))
    return answer


def _params(request: Request, fault: Fault | None) -> Params:
    params = parse(mishaps.asked_again(fault, request.query))
    return params | parse(request.body.decode(errors="replace")) if request.body else params


def _entry(request: Request, secret: str | None) -> Entry:
    return Entry(
        at=time.time(),
        provider="stripe",
        account=None,
        mode=None,
        method=request.method,
        path=request.path,
        route=request.path,
        query=request.query,
        key=fingerprint(secret) if secret else None,
        connection=request.connection,
        idempotency_key=request.headers.get("idempotency-key"),
    )


def _refused(refusal: Refusal, request_id: str) -> Answer:
    retry = {} if refusal.status in (401, 429) else {"Stripe-Should-Retry": "false"}
    return Answer(refusal.status, refusal.body(request_id), retry | refusal.headers)


def _dressed(answer: Answer, request: Request, key: Key | None, request_id: str) -> Answer:
    """The headers that every answer of Stripe's carries."""
    headers: dict[str, Any] = {
        "Server": "nginx",
        "Content-Type": "application/json",
        "Request-Id": request_id,
        "Cache-Control": "no-cache, no-store",
    }
    if key is not None:
        headers["Date"] = key.store.clock.date()
        headers["Stripe-Version"] = request.headers.get("stripe-version", key.store.api_version)
    if "idempotency-key" in request.headers:
        headers["Idempotency-Key"] = request.headers["idempotency-key"]
    if answer.status >= SERVER_ERROR:
        headers["Stripe-Should-Retry"] = "true"
    answer.headers = headers | answer.headers
    return answer
