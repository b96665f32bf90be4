"""All fake providers behind one address: the API paths are the providers', `/_sandbox` is ours."""

import orjson

from sandbox import panel
from sandbox.courier import Courier
from sandbox.google.api import Google
from sandbox.http import Request
from sandbox.ledger import Ledger
from sandbox.provider import Provider, WrongCall
from sandbox.slack.api import Slack
from sandbox.stripe.api import Stripe
from sandbox.wire import Answer

CONTROL = "/_sandbox/"


class Sandbox:
    """The providers and their common ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.courier = Courier()
        stripe = Stripe(self.ledger, self.courier)
        self.default: Provider = stripe
        """Who answers for paths that are nobody's."""
        self.providers: tuple[Provider, ...] = (
            stripe,
            Slack(self.ledger, self.courier),
            Google(self.ledger, self.courier),
        )

    async def answer(self, request: Request) -> Answer:
        """The answer of whoever the path belongs to."""
        if request.path in panel.PATHS:
            return await panel.answer(request)
        if not request.path.startswith(CONTROL):
            return await self._owner(request.path).answer(request)
        try:
            return self._control(request, request.path.removeprefix(CONTROL))
        except (WrongCall, TypeError, ValueError, KeyError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, status=400)

    def addresses(self, base: str) -> dict[str, str]:
        """Where everything is when the sandbox listens at *base*."""
        found = {"control_url": f"{base}/_sandbox"}
        for provider in self.providers:
            found |= provider.addresses(base)
        return found

    def settings(self, base: str) -> dict[str, str]:
        """The settings that point the product at the sandbox at *base*."""
        found: dict[str, str] = {}
        for provider in self.providers:
            found |= provider.settings(base)
        return found

    def deliver_to(self, base: str) -> dict[str, str]:
        """All providers' default accounts and apps push to Syncline at *base*; the settings that this takes."""
        found: dict[str, str] = {}
        for provider in self.providers:
            found |= provider.deliver_to(base)
        return found

    def _owner(self, path: str) -> Provider:
        return next((found for found in self.providers if path.startswith(found.paths)), self.default)

    def _control(self, request: Request, path: str) -> Answer:
        account = dict(request.params).get("account")
        if path == "ledger" and request.method == "DELETE":
            self.ledger.clear(account)
            return _json({})
        if path == "ledger":
            return _json(self.ledger.read(account))
        if path == "rates":
            return _json(self.ledger.rates(account))
        name, _, call = path.partition("/")
        for provider in self.providers:
            if provider.name == name:
                return provider.control(request, call)
        raise WrongCall(f"there are ledger, rates, {', '.join(found.name for found in self.providers)}")


def _json(value: object, status: int = 200) -> Answer:
    return Answer(status, orjson.dumps(value), {"Content-Type": "application/json"})
