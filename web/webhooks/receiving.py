"""`POST /webhooks/…`: 200 once the verified event is committed, and only then whoever applies it is woken.

Nothing of a delivery is repeated in an answer or a log.
"""

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from connectors.errors import Misconfigured
from connectors.registry import find_connectors
from connectors.signatures import secrets_in
from connectors.webhooks import Claim, Delivery, Event, Forged, Webhooks
from storage import push_channels
from storage.database import Database
from storage.inbox import Arrival
from storage.webhook_targets import Target, of_accounts, secret_of
from web.problems import Problem
from web.state import web_of, workshop_of
from web.webhooks.storing import Inbox

router = APIRouter(include_in_schema=False)  # for providers, who read no documents of ours
log = logging.getLogger("web")

LONGEST = 255
"""Characters of an id or a type that are kept."""
UNTIL_MENDED_SECONDS = 300
"""A setting is missing: a person has to set it before it makes sense to deliver again."""


@router.post("/webhooks/{connector}")
async def receive(connector: str, request: Request) -> Response:
    """For all accounts of a connector: each event says whose it is."""
    return await (await _came(connector, request)).acknowledged(request.app.state.inbox)


@router.post("/webhooks/{connector}/{connection_id}")
async def receive_for_connection(connector: str, connection_id: str, request: Request) -> Response:
    """For one connection, whose own secret vouches where it has one."""
    inbox: Inbox = request.app.state.inbox
    try:
        named = await inbox.target(UUID(connection_id))
    except ValueError:
        raise _unknown() from None
    if named is None or named.connector != connector:
        raise _unknown()
    return await (await _came(connector, request, named)).acknowledged(inbox)


async def _came(connector: str, request: Request, named: Target | None = None) -> "_Received":
    found = find_connectors().get(connector)
    if found is None or found.webhooks is None:
        raise _unknown()
    delivery = Delivery(_headers(request), await request.body(), time.time())
    address = web_of(request).public_url + request.url.path
    return _Received(workshop_of(request).db, connector, found.webhooks, delivery, address, named)


@dataclass(frozen=True, slots=True)
class _Received:
    """One delivery; `named` is the connection in its address."""

    db: Database
    connector: str
    webhooks: Webhooks
    delivery: Delivery
    address: str
    named: Target | None

    async def acknowledged(self, inbox: Inbox) -> Response:
        """The answer, once everything is committed."""
        try:
            event, vouched_for = await self._verified()
            arrivals = await self._arrivals(event, vouched_for)
        except Forged as forged:
            log.warning("delivery_refused connector=%s reason=%s", self.connector, forged)
            raise Problem(400, "bad_signature", str(forged), "Look at the secret that it was signed with.") from None
        except Misconfigured as missing:
            later = {"Retry-After": str(UNTIL_MENDED_SECONDS)}
            raise Problem(503, missing.code, str(missing), "`syncline doctor` says what is missing.", later) from None
        if event.challenge is not None:
            return PlainTextResponse(event.challenge)
        if not await inbox.store(arrivals):
            raise _unknown()
        return Response()

    async def _verified(self) -> tuple[Event, UUID | None]:
        """The event, and the connection that what vouched for it belongs to, if it is a connection's own."""
        claim = self.webhooks.claim(self.delivery)
        if claim is not None:
            return await self._by_channel(claim)
        named, field = self.named, self.webhooks.own_secret
        own = await secret_of(self.db, named, field) if named and field else None
        secrets = secrets_in(own) or None
        event = await self.webhooks.verify(self.delivery, secrets, address=self.address)
        return event, named.id if named and secrets else None

    async def _by_channel(self, claim: Claim) -> tuple[Event, UUID]:
        known = await push_channels.claimed(self.db, self.connector, claim.channel_id)
        if known is None:
            raise Problem(404, "unknown_channel", "There is no such channel here.", "Stop it.")
        if not known.is_token(claim.token) or (self.named and self.named.id != known.connection_id):
            raise Forged("The channel's secret is not the one that it was given.")
        event = await self.webhooks.verify(self.delivery, None, address=self.address)
        return replace(event, said={**event.said, "subject": known.subject}), known.connection_id

    async def _arrivals(self, event: Event, vouched_for: UUID | None) -> list[Arrival]:
        """A row for each connection that it is about; one without a connection when there is none."""
        ids = await self._connections(event, vouched_for)
        status: Literal["pending", "failed", "ignored"] = "ignored" if event.ignored or ids == [None] else "pending"
        return [
            Arrival(
                connector=self.connector,
                connection_id=connection_id,
                provider_event_id=_id(event, self.delivery.body),
                event_type=event.type[:LONGEST] if event.type else None,
                body=self.delivery.body,
                said=event.said,
                status="failed" if event.malformed else status,
                error=event.malformed,
                error_code="malformed_event" if event.malformed else None,
            )
            for connection_id in ids
        ]

    async def _connections(self, event: Event, vouched_for: UUID | None) -> list[UUID | None]:
        accounts = [(one.external_account_id, one.mode) for one in event.accounts]
        if self.named:
            if not event.malformed:
                _refuse_others(self.named, accounts, event.said.get("mode"))
            return [self.named.id] if vouched_for or accounts or event.malformed else [None]
        if vouched_for:
            return [vouched_for]
        return [*await of_accounts(self.db, self.connector, accounts)] or [None]


def _refuse_others(named: Target, accounts: Sequence[tuple[str, str | None]], mode: object) -> None:
    """Forged when the event names another account, or another mode, than the connection's."""
    own = named.external_account_id.lower()
    of_account = not accounts or any(
        account.lower() == own and said in {None, named.mode} for account, said in accounts
    )
    if not of_account or (isinstance(mode, str) and mode != named.mode):
        raise Forged("The event is of another account or mode than this address is for.")


def _id(event: Event, body: bytes) -> str:
    """The provider's own, unless Postgres could not keep it."""
    if event.id and len(event.id) <= LONGEST and event.id.isprintable() and event.id.isascii():
        return event.id
    return hashlib.sha256(body).hexdigest()


def _headers(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _unknown() -> Problem:
    return Problem(404, "not_found", "Nothing is received at this address.", "`syncline doctor` prints the addresses.")
