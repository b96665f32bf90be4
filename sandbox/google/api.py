"""One request to the Google sandbox, from the token to the answer."""

import asyncio
import time
from typing import Any

import orjson

from sandbox.courier import Courier, checked
from sandbox.google import consent, control, mishaps, routes, shaking, tokens
from sandbox.google.accounts import Account
from sandbox.google.calls import Call, World
from sandbox.google.clients import Access, OAuthClient
from sandbox.google.errors import Failed, bad_request, scope_insufficient, unauthenticated
from sandbox.google.routes import Route
from sandbox.google.settings import (
    AUTHORIZE,
    CERTS,
    DEMO_ACCOUNT,
    DEMO_CLIENT,
    REVOKE,
    TOKEN,
    USERINFO,
    addresses,
    settings,
)
from sandbox.google.signing import certs
from sandbox.http import Request
from sandbox.ledger import Entry, Ledger, fingerprint
from sandbox.wire import Answer, packed

_WORTH_PACKING = 512
_NOTHING = Answer(404, b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", {"Content-Type": "text/html"})


class Google:
    """Google's sign-in under `/google`, the Calendar API and the Gmail API under their own paths."""

    name = "google"
    paths: tuple[str, ...] = ("/calendar/v3/", "/gmail/v1/", "/google/")

    def __init__(self, ledger: Ledger, courier: Courier) -> None:
        self.ledger = ledger
        self.world = World(ledger, courier)
        self.world.registry.clients[DEMO_CLIENT["id"]] = OAuthClient(**DEMO_CLIENT)
        self.world.open_account(DEMO_ACCOUNT, "Demo")

    def control(self, request: Request, call: str) -> Answer:
        """What a test does to an account."""
        return control.answer(self.world, request, call)

    def addresses(self, base: str) -> dict[str, str]:
        """Where Google is, and with what the default client signs in."""
        return addresses(base)

    def settings(self, base: str) -> dict[str, str]:
        """The settings that lead to the default client."""
        return settings(base)

    def deliver_to(self, base: str) -> dict[str, str]:
        """Pub/Sub's subscription; the Calendar API pushes wherever a channel says."""
        topic = self.world.push.topic
        topic.url = checked(f"{base}/webhooks/gmail")
        return {
            "SYNCLINE_GMAIL_PUBSUB_TOPIC": topic.name,
            "SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT": topic.service_account,
            "SYNCLINE_GMAIL_PUSH_AUDIENCE": topic.url,
        }

    async def answer(self, request: Request) -> Answer:
        """What Google answers; the ledger knows of it before and after."""
        entry = _entry(request)
        self.ledger.requests.append(entry)
        if request.path.startswith("/google/"):
            answer = await self._sign_in(request, entry)
        else:
            answer = await self._api(request, entry)
        entry.status, entry.done = answer.status, True
        return answer

    async def _sign_in(self, request: Request, entry: Entry) -> Answer:
        if request.path == AUTHORIZE:
            return consent.answer(self.world.registry, self.world.accounts, request)
        if request.path in (TOKEN, REVOKE):
            return await self._token_request(request, entry)
        if request.path == USERINFO:
            return self._userinfo(request, entry)
        return _json(certs()) if request.path == CERTS else _NOTHING

    async def _token_request(self, request: Request, entry: Entry) -> Answer:
        """The answer to a client that wants tokens or revokes them; faults of the account in question meet it too."""
        form = tokens.form_of(request)
        entry.query = form.get("grant_type", "")
        account = tokens.account_of(self.world.registry, self.world.accounts, form)
        if account is None:
            return self._tokens(request, form)
        entry.account, entry.mode = account.email, "live"
        fault = account.faults.take(request.method, request.path, request.path, entry.query)
        if fault is not None:
            entry.fault = fault.kind
            if (refused := await mishaps.instead(fault)) is not None:
                return refused
        answer = self._tokens(request, form)
        if account.latency:
            await asyncio.sleep(account.latency)
        return mishaps.afterwards(fault, answer) if fault else answer

    def _tokens(self, request: Request, form: dict[str, str]) -> Answer:
        registry, accounts = self.world.registry, self.world.accounts
        if request.path == REVOKE:
            return tokens.revoke(registry, accounts, form)
        return tokens.exchange(registry, accounts, request, form)

    def _userinfo(self, request: Request, entry: Entry) -> Answer:
        try:
            access, account = self._access(request, entry)
        except Failed as failed:
            return Answer(failed.code, failed.body(), dict(mishaps.JSON))
        return _json(tokens.userinfo(account, access.scopes))

    async def _api(self, request: Request, entry: Entry) -> Answer:
        found = routes.find(request.method, request.path)
        if found is None:
            return _NOTHING
        route, path = found
        entry.route = route.template
        headers = dict(mishaps.JSON)
        try:
            access, account = self._access(request, entry)
            headers["Date"] = account.clock.date()
            _permit(self.world, route, access, account, path)
        except Failed as failed:
            return Answer(failed.code, failed.body(with_status=found[0].service == "gmail"), headers)
        fault = account.faults.take(request.method, route.template, request.path, request.query)
        if fault is not None:
            entry.fault = fault.kind
            if (refused := await mishaps.instead(fault)) is not None:
                return refused
        answer = _worked(route, self._call(request, access, account, path, fault), headers)
        if account.latency:
            await asyncio.sleep(account.latency)
        if fault is not None:
            if fault.kind == "shift":
                shaking.between(self.world, account, fault)
            return mishaps.afterwards(fault, answer)
        return _gzipped(request, answer)

    def _call(self, request: Request, access: Access, account: Account, path: dict[str, str], fault: Any) -> Call:
        params = mishaps.asked_again(fault, request.params)
        return Call(self.world, account, access.scopes, path, params, {"": request.body} if request.body else {})

    def _access(self, request: Request, entry: Entry) -> tuple[Access, Account]:
        """The access token that the request carries, if it is good."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        secret = secret.strip() if scheme.lower() == "bearer" else ""
        if not secret:
            raise unauthenticated()
        entry.key = fingerprint(secret)
        access = self.world.registry.accesses.get(secret)
        if access is None:
            raise unauthenticated()
        account = self.world.accounts[access.grant.email]
        entry.account, entry.mode = account.email, "live"
        if access.dead or account.clock.now() >= access.expires_at:
            raise unauthenticated()
        return access, account


def _permit(world: World, route: Route, access: Access, account: Account, path: dict[str, str]) -> None:
    """Nothing, or the refusal of a token that may not do this, or not now."""
    if not route.scopes & set(access.scopes):
        raise scope_insufficient(f"{route.service}.googleapis.com", route.full_name)
    if route.service == "gmail" and path["userId"] not in ("me", account.email):
        raise Failed(403, "forbidden", f"Delegation denied for {account.email}")
    account.limits.take(route.service, access.grant.client.id, route.units, world.projects)


def _worked(route: Route, call: Call, headers: dict[str, str]) -> Answer:
    """The work done, or refused."""
    try:
        body = call.body.pop("", None)
        if body is not None and route.method in ("POST", "PUT", "PATCH"):
            call.body.update(_object(body))
        content = route.handler(call)
    except Failed as failed:
        return Answer(failed.code, failed.body(with_status=route.service == "gmail"), headers)
    return Answer(200 if content else 204, content, headers)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Failed(400, "parseError", "Parse Error") from None
    if not isinstance(found, dict):
        raise bad_request()
    return found


def _gzipped(request: Request, answer: Answer) -> Answer:
    """Packed for those who accept it and say so in their User-Agent too, as Google wants it."""
    wants = "gzip" in request.headers.get("accept-encoding", "") and "gzip" in request.headers.get("user-agent", "")
    if not wants or len(answer.body) < _WORTH_PACKING:
        return answer
    return Answer(answer.status, packed(answer.body), answer.headers | {"Content-Encoding": "gzip"})


def _json(value: Any) -> Answer:
    return Answer(200, orjson.dumps(value), dict(mishaps.JSON))


def _entry(request: Request) -> Entry:
    return Entry(
        at=time.time(),
        provider="google",
        account=None,
        mode=None,
        method=request.method,
        path=request.path,
        route=request.path,
        query=request.query if not request.path.startswith("/google/") else "",
        key=None,
        connection=request.connection,
    )
