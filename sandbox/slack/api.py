"""One request to the Slack sandbox, from the token to the answer."""

import asyncio
import secrets
import time
from urllib.parse import urlencode

from sandbox.courier import Courier, checked
from sandbox.http import Request
from sandbox.ledger import Entry, Ledger, fingerprint
from sandbox.slack import access, arguments, consent, control, mishaps
from sandbox.slack.apps import App, Registry, Token
from sandbox.slack.arguments import Arguments
from sandbox.slack.calls import Call
from sandbox.slack.errors import Failed, unknown_method
from sandbox.slack.methods import METHODS, SCOPES, Method
from sandbox.slack.settings import DEMO_APP, DEMO_TEAM, addresses, settings
from sandbox.slack.webhooks import Events
from sandbox.slack.workspace import Workspace
from sandbox.wire import Answer

API = "/api/"
AUTHORIZE = "/oauth/v2/authorize"
TOKENS = {"oauth.v2.access": access.access, "oauth.v2.exchange": access.exchange}


class Slack:
    """Slack's Web API under `/api`, and its consent page."""

    name = "slack"
    paths: tuple[str, ...] = (API, "/oauth/")

    def __init__(self, ledger: Ledger, courier: Courier) -> None:
        self.ledger = ledger
        self.courier = courier
        self.registry = Registry()
        self.workspaces: dict[str, Workspace] = {}
        self.open(DEMO_TEAM, "Demo")
        app = App(**DEMO_APP, teams=[DEMO_TEAM])
        self.registry.apps[app.client_id] = app

    def open(self, team: str, name: str, *, seed: object = None) -> Workspace:
        """A new workspace, whose apps are told what happens in it."""
        workspace = self.workspaces[team] = Workspace(team, name, self.ledger, seed=seed)
        Events(workspace, self.registry, self.courier)
        return workspace

    def control(self, request: Request, call: str) -> Answer:
        """What a test does to a workspace."""
        return control.answer(self, request, call)

    def addresses(self, base: str) -> dict[str, str]:
        """Where Slack is, and with what the default app signs in."""
        return addresses(base)

    def settings(self, base: str) -> dict[str, str]:
        """The settings that lead to the default app."""
        return settings(base)

    def deliver_to(self, base: str) -> dict[str, str]:
        """The default app's events."""
        app = self.registry.apps[DEMO_APP["client_id"]]
        app.request_url = checked(f"{base}/webhooks/slack")
        return {"SYNCLINE_SLACK_SIGNING_SECRET": app.signing_secret}

    async def answer(self, request: Request) -> Answer:
        """What Slack answers; the ledger knows of it before and after."""
        entry = _entry(request)
        self.ledger.requests.append(entry)
        if request.path == AUTHORIZE:
            entry.query = request.query
            answer, entry.account = consent.answer(self.registry, self.workspaces, request)
        elif request.path.startswith(API):
            answer = await self._api(request, entry)
        else:
            answer = Answer(404, b"<h1>Not Found</h1>", {"Content-Type": "text/html"})
        entry.status, entry.done = answer.status, True
        return answer

    async def _api(self, request: Request, entry: Entry) -> Answer:
        headers = {
            "Server": "Apache",
            "X-Slack-Req-Id": secrets.token_hex(16),
            "Cache-Control": "private, no-cache, no-store, must-revalidate",
        }
        name = request.path.removeprefix(API)
        try:
            said = arguments.read(request)
            entry.query = urlencode([(k, v) for k, v in said.items() if k not in arguments.SECRETS])
            if name in TOKENS:
                answer = await self._tokens(name, request, said, entry)
            elif name in METHODS:
                answer = await self._method(name, request, said, entry, headers)
            else:
                raise unknown_method(name)
        except Failed as failed:
            answer = Answer(failed.status, failed.body(), dict(failed.headers))
        if (workspace := self.workspaces.get(entry.account or "")) is not None:
            headers["Date"] = workspace.clock.date()
        answer.headers = mishaps.JSON | headers | answer.headers
        return answer

    async def _method(
        self, name: str, request: Request, said: Arguments, entry: Entry, headers: dict[str, str]
    ) -> Answer:
        """A method's answer to a token."""
        token = self._token(request, said, entry)
        app = token.installation.app
        scope = said.text("channel") or "" if name == "chat.postMessage" else ""
        token.installation.workspace.limits.take(name, app.client_id, strict=app.strict, scope=scope)
        headers["X-OAuth-Scopes"] = ",".join(token.scopes)
        if name in SCOPES:
            headers["X-Accepted-OAuth-Scopes"] = SCOPES[name]
        return await self._worked(METHODS[name], Call(self.registry, token, said), request, entry)

    def _token(self, request: Request, said: Arguments, entry: Entry) -> Token:
        """The token that the request carries, if it is good."""
        secret = _secret(request, said)
        if secret is None:
            raise Failed("not_authed")
        entry.key = fingerprint(secret)
        token = self.registry.tokens.get(secret)
        if token is None:
            raise Failed("invalid_auth")
        workspace = token.installation.workspace
        entry.account, entry.mode = workspace.id, "live"
        if token.refusal:
            raise Failed(token.refusal)
        if token.expires_at is not None and workspace.clock.now() >= token.expires_at:
            raise Failed("token_expired")
        return token

    async def _worked(self, method: Method, call: Call, request: Request, entry: Entry) -> Answer:
        """The work done, with the latency waited for and whatever fault meets it."""
        workspace = call.workspace
        fault = workspace.faults.take(request.method, request.path, request.path, entry.query)
        if fault is not None:
            entry.fault = fault.kind
            if (answer := await mishaps.instead(fault)) is not None:
                return answer
            call = Call(call.registry, call.token, mishaps.asked_again(fault, call.said))
        try:
            answer = Answer(200, method(call), dict(mishaps.JSON))
        except Failed as failed:
            answer = Answer(failed.status, failed.body(), mishaps.JSON | failed.headers)
        if workspace.latency:
            await asyncio.sleep(workspace.latency)
        return mishaps.afterwards(fault, answer, workspace) if fault else answer

    async def _tokens(self, name: str, request: Request, said: Arguments, entry: Entry) -> Answer:
        """The answer to an app that asks for tokens; faults of the workspace in question meet it too."""
        workspace = access.workspace_of(self.registry, said)
        fault = None
        if workspace is not None:
            entry.account, entry.mode = workspace.id, "live"
            fault = workspace.faults.take(request.method, request.path, request.path, entry.query)
        if fault is not None:
            entry.fault = fault.kind
            if (answer := await mishaps.instead(fault)) is not None:
                return answer
        try:
            answer = Answer(200, TOKENS[name](self.registry, request, said), dict(mishaps.JSON))
        except Failed as failed:
            answer = Answer(failed.status, failed.body(), mishaps.JSON | failed.headers)
        if workspace is not None and workspace.latency:
            await asyncio.sleep(workspace.latency)
        return mishaps.afterwards(fault, answer, workspace) if fault and workspace else answer


def _secret(request: Request, said: Arguments) -> str | None:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    return rest.strip() or None if scheme.lower() == "bearer" else said.text("token")


def _entry(request: Request) -> Entry:
    return Entry(
        at=time.time(),
        provider="slack",
        account=None,
        mode=None,
        method=request.method,
        path=request.path,
        route=request.path,
        query="",
        key=None,
        connection=request.connection,
    )
