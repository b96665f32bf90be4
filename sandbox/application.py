"""All fake providers behind one address: the API paths are the providers', `/_sandbox` is ours."""

import orjson

from sandbox.http import Request
from sandbox.ledger import Ledger
from sandbox.stripe import control
from sandbox.stripe.api import Stripe
from sandbox.stripe.control import WrongCall
from sandbox.stripe.errors import Refusal
from sandbox.wire import Answer

CONTROL = "/_sandbox/"


class Sandbox:
    """The providers and their common ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.stripe = Stripe(self.ledger)

    async def answer(self, request: Request) -> Answer:
        """The answer of whoever the path belongs to."""
        if not request.path.startswith(CONTROL):
            return await self.stripe.answer(request)
        try:
            return self._control(request, request.path.removeprefix(CONTROL))
        except (WrongCall, Refusal, TypeError, ValueError, KeyError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, status=400)

    def _control(self, request: Request, path: str) -> Answer:
        account = dict(request.params).get("account")
        if path == "ledger" and request.method == "DELETE":
            self.ledger.clear(account)
            return _json({})
        if path == "ledger":
            return _json(self.ledger.read(account))
        if path == "rates":
            return _json(self.ledger.rates(account))
        provider, _, call = path.partition("/")
        if provider == self.stripe.name:
            return control.answer(self.stripe.accounts, request, call)
        raise WrongCall("there are ledger, rates and stripe")


def _json(value: object, status: int = 200) -> Answer:
    return Answer(status, orjson.dumps(value), {"Content-Type": "application/json"})
