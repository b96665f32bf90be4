"""Does something at a provider, at most once for each idempotency key.

Runs in the process that is asked, without a Prefect run: a worker would add five seconds, and what is asked for must
not depend on Prefect. Only the throttle needs it; without an allowance nothing is sent.
"""

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import psycopg

from connectors.actions import Action, Result, Sending
from connectors.client import Client
from connectors.errors import ConnectorError, Declined, Misconfigured, Reconnect, TryLater, Unproved
from connectors.registry import get
from storage import actions, connections
from storage.actions import Asked, Row
from storage.connections import Connection
from storage.errors import KeyMalformed, NotActive, NotGranted, StorageError, UnknownAction
from tasks.workshop import Workshop

log = logging.getLogger(__name__)

WAIT_SECONDS = 20.0
"""A caller waits for the answer: so long for an allowance, and for what may be sent again."""
LONGEST_SECONDS = 100.0
"""For one attempt in all; after 120 s somebody else may take over."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class ActionResult:
    """How an action stands: `status` is succeeded, failed or unknown. `error` is written for the end user."""

    id: UUID
    status: str
    result: Mapping[str, Any] | None = field(default=None, repr=False)
    error: str | None = None
    error_code: str | None = None


async def run_action(
    workshop: Workshop, connection_id: UUID, name: str, body: Mapping[str, Any], idempotency_key: str
) -> ActionResult:
    """What came of it, now or the first time that it was asked for with this key.

    Raises before anything is sent: KeyMalformed, UnknownId, UnknownAction, NotActive, NotGranted, KeyReused, UnderWay,
    pydantic's ValidationError; and Unsent or Misconfigured when it certainly did not happen, so that the same key may
    try again.
    """
    check_key(idempotency_key)
    connection = await connections.get(workshop.db, connection_id)
    action = find_action(connection, name)
    _refuse_unless_possible(connection, action)
    body_given = action.body.model_validate(body)
    asked = Asked(connection.id, name, _digest(idempotency_key.encode()), _digest(_canonical(body_given)))
    known = await actions.find(workshop.db, asked)
    if known and known.settled:
        return _told(known)
    try:
        async with workshop.source(connection, time.monotonic() + WAIT_SECONDS) as source:
            row = await actions.claim(workshop.db, workshop.sender, asked)
            if row.settled:
                return _told(row)
            return await _Attempt(workshop, action, body_given, asked, row).carry_out(source.client)
    except Reconnect as gone:
        since = connection.signed_in_at
        await connections.needs_reconnect(workshop.db, connection.id, gone.code, str(gone), signed_in_at=since)
        raise NotActive(str(gone), "Nothing was done. Reconnect it, then ask again with the same key.") from None


def check_key(key: str) -> None:
    """KeyMalformed unless it is 1 to 255 visible ASCII characters."""
    if not _KEY.fullmatch(key):
        raise KeyMalformed(
            "The idempotency key is not 1 to 255 visible ASCII characters.", "Make one, such as a UUID, and keep it."
        )


def find_action(connection: Connection, name: str) -> Action:
    """The action of that name that this connection has, or UnknownAction."""
    known = {action.name: action for action in get(connection.connector).actions}
    if name not in known:
        there_is = f"There is: {', '.join(known)}." if known else "It has none."
        raise UnknownAction(f"This {connection.connector} connection has no such action.", there_is)
    return known[name]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt at an action, whose claim is committed."""

    workshop: Workshop
    action: Action
    body: Any
    asked: Asked
    row: Row

    async def carry_out(self, client: Client) -> ActionResult:
        """How the action stands afterwards, committed; whatever else happens it is left to whoever comes next."""
        settled = False
        try:
            result = await self._carried_out(client)
            settled = True
        except (TryLater, Misconfigured, Reconnect):
            await actions.withdraw(self.workshop.db, self.row)
            settled = True
            raise
        else:
            return result
        finally:
            if not settled:
                with suppress(StorageError, psycopg.Error):
                    await asyncio.shield(actions.let_go(self.workshop.db, self.row))

    async def _carried_out(self, client: Client) -> ActionResult:
        memo = dict(self.row.memo or {})

        async def remember(more: Mapping[str, Any]) -> None:
            await actions.remember(self.workshop.db, self.row, more)
            memo.update(more)

        sending = Sending(self.asked.derived, self.row.age, memo, remember)
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                result = await self._result(client, sending)
        except (TryLater, Misconfigured, Reconnect):
            raise
        except Unproved as unproved:
            return await self._doubted(unproved)
        except TimeoutError:
            return await self._doubted(Unproved(client.api.title))
        except ConnectorError as refused:
            return await self._failed(refused)
        return await self._succeeded(result)

    async def _result(self, client: Client, sending: Sending) -> Result:
        """What came of the attempts before, or of this one, which is looked for at once where its answer is lost."""
        found = await self._looked(client, sending) if self.row.attempts > 1 else None
        if found is not None:
            return found
        try:
            return await self.action.perform(client, self.body, sending)
        except Unproved:
            found = await self._looked(client, sending)
            if found is None:
                raise
            return found

    async def _looked(self, client: Client, sending: Sending) -> Result | None:
        """Whatever keeps us from finding out proves nothing about the attempts before."""
        try:
            return await self.action.look(client, self.body, sending)
        except (Declined, Unproved):
            raise
        except ConnectorError:
            raise Unproved(client.api.title) from None

    async def _succeeded(self, result: Result) -> ActionResult:
        await actions.succeed(self.workshop.db, self.row, result)
        self._note("succeeded")
        return ActionResult(self.row.id, "succeeded", dict(result))

    async def _failed(self, refused: ConnectorError) -> ActionResult:
        await actions.fail(self.workshop.db, self.row, refused.code, str(refused))
        self._note("failed")
        return ActionResult(self.row.id, "failed", None, str(refused), refused.code)

    async def _doubted(self, unproved: Unproved) -> ActionResult:
        await actions.doubt(self.workshop.db, self.row, unproved.code, str(unproved))
        self._note("unknown")
        return ActionResult(self.row.id, "unknown", None, str(unproved), unproved.code)

    def _note(self, status: str) -> None:
        log.info("action ended id=%s name=%s status=%s", self.row.id, self.row.name, status)


def _refuse_unless_possible(connection: Connection, action: Action) -> None:
    if connection.state != "active":
        sentence = _WHY_NOT.get(connection.state, "This connection is not active.")
        raise NotActive(sentence, "Nothing was done.")
    if not action.scopes <= set(connection.scopes):
        title = get(connection.connector).title
        raise NotGranted(
            f"{title} was connected without the permission that this needs. Everything else goes on.",
            "Send the user a link to reconnect, and ask them to leave every box ticked.",
        )


_WHY_NOT = {
    "paused": "This connection is paused: resume it, then ask again.",
    "needs_reconnect": "This connection needs its user to sign in again.",
    "disconnected": "This connection is disconnected: connect the account again.",
}


def _told(row: Row) -> ActionResult:
    return ActionResult(row.id, row.status, row.result, row.error, row.error_code)


def _canonical(body: Any) -> bytes:
    """Equal for bodies that ask for the same, also after an action has learned to take more."""
    return orjson.dumps(body.model_dump(mode="json", exclude_defaults=True), option=orjson.OPT_SORT_KEYS)


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
