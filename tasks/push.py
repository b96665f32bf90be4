"""Channels and watches: asked for by a connection's own runs, and stopped when it leaves."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any

from connectors.client import Client
from connectors.errors import ConnectorError, Reconnect, Refused
from connectors.push import Channel, Push
from connectors.registry import get
from storage import alerts, checkpoints, push_channels
from storage.connections import Connection
from storage.database import Database
from storage.push_channels import PushChannel
from storage.status import Pushed
from storage.times import iso
from storage.webhook_targets import of_accounts
from tasks.settings import load
from tasks.side_by_side import each
from tasks.sync import Sync

EXPIRING = "push_expiring"
"""The kind of alert that says that something could not be renewed."""
STOP_SECONDS = 3.0
STOPPED_AT_ONCE = 8
FAILURES = 3
"""A provider that fails so often in a row is asked again by the next run."""
HOMELESS = "SYNCLINE_PUBLIC_URL is not set, so nobody knows where to deliver to: this is polled."

_log = logging.getLogger(__name__)


def address_of(connector: str) -> str | None:
    """Where that connector's provider delivers to; None while nobody knows where we are."""
    public = load().public_url.strip().rstrip("/")
    return f"{public}/webhooks/{connector}" if public else None


def polled(connector: str) -> str | None:
    """Why nothing can be pushed, as a sentence; None where it can, or where the provider's pushes need no asking."""
    push, address = get(connector).push, address_of(connector)
    if push is None:
        return None
    return push.missing(address or "") or (None if address else HOMELESS)


def showing() -> Pushed:
    """`shown` for many connections: each connector's settings are looked at once."""
    return partial(shown, why_polled=cache(polled))


def shown(
    connector: str, channels: Sequence[Mapping[str, Any]], *, why_polled: Callable[[str], str | None] = polled
) -> dict[str, dict[str, str | None]]:
    """How each stream is pushed: `active` until `expires_at`, `refused` by the provider, `failed` for now, or `polled`
    because it is not set up, with the sentence why; no entry where the provider is not asked to push, or not yet.
    """
    push = get(connector).push
    if push is None:
        return {}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for channel in channels:
        for stream in push.streams(channel["subject"]):
            found.setdefault(stream, []).append(channel)
    if not found and (reason := why_polled(connector)):
        unset = {"state": "polled", "expires_at": None, "reason": reason}
        return {stream.name: unset for stream in get(connector).streams}
    return {stream: _together(its) for stream, its in found.items()}


def _together(channels: Sequence[Mapping[str, Any]]) -> dict[str, str | None]:
    """Of several the one that ends first; a calendar that refuses push makes the others no worse."""
    states = {channel["state"] for channel in channels}
    state = next(state for state in ("failed", "active", "refused") if state in states)
    ends = [channel["expires_at"] for channel in channels if channel["expires_at"]]
    reasons = [channel["error"] for channel in channels if channel["state"] == state != "active" and channel["error"]]
    return {"state": state, "expires_at": iso(min(ends, default=None)), "reason": next(iter(reasons), None)}


async def keep_watched(sync: Sync) -> bool:
    """Whether something is watched from now on that was not before: what changed in between has to be read.

    Channels that will end soon are replaced: the new one first, then the old one is stopped.
    """
    push, connection = sync.source.connector.push, sync.source.connection
    address = address_of(connection.connector)
    if push is None or address is None or push.missing(address):
        return False
    db = sync.workshop.db
    states = await checkpoints.states(db, connection.id, [stream.name for stream in sync.source.connector.streams])
    cursors = {name: dict(state.cursor) for name, state in states.items() if state.cursor is not None}
    subjects = push.subjects(cursors)
    outlook = await push_channels.outlook(
        db, connection.id, subjects, address=address, renew_seconds=push.renew_seconds
    )
    await _stop(db, sync.source.client, push, outlook.over)
    results: list[str] = []
    for subject in outlook.needed:
        if sync.source.out_of_time or results[-FAILURES:] == ["failed"] * FAILURES:
            break
        results.append(await _watch(sync, push, subject, address))
        await _replace(sync, push, outlook.replaced[subject], results[-1])
    if outlook.needed and len(results) == len(outlook.needed) and "failed" not in results:
        await alerts.clear(db, EXPIRING, connection.id)
    return "active" in results


async def _watch(sync: Sync, push: Push, subject: str, address: str) -> str:
    """`active`: it is watched now; else `refused` or `failed`. The row is there first: a delivery may come before the
    answer.
    """
    db, client, connection_id = sync.workshop.db, sync.source.client, sync.source.connection.id
    channel_id, token = await push_channels.begin(db, connection_id, subject, address)
    try:
        made = await push.watch(client, Channel(subject, channel_id, token, address))
    except ConnectorError as error:
        state = "refused" if isinstance(error, Refused) else "failed"
        await push_channels.not_made(db, channel_id, state, str(error))
        _log.warning("not watched connection=%s state=%s code=%s", connection_id, state, error.code)
        if isinstance(error, Reconnect):
            raise
        return state
    if not await push_channels.made(db, channel_id, expires_at=made.expires_at, resource_id=made.resource_id):
        # Whoever disconnected it meanwhile did not know by what name to stop it.
        with suppress(ConnectorError):
            await push.stop(client, channel_id, made.resource_id)
        return "failed"
    return "active"


async def _replace(sync: Sync, push: Push, old: Sequence[PushChannel], result: str) -> None:
    """What a new one has taken the place of is over; what pushes still goes on until another one has."""
    over = [one for one in old if result == "active" or not one.pushes]
    await _stop(sync.workshop.db, sync.source.client, push, over)


async def stop_all(db: Database, client: Client, connection: Connection, channels: Sequence[PushChannel]) -> None:
    """Nothing is pushed any more for a connection that has left, as far as the provider answers in time."""
    push = get(connection.connector).push
    if push is None:
        return
    pushing = [one for one in channels if one.pushes]
    if push.replaces:
        # Stopping one ends all of the account, on which another connection may rest.
        account = [(connection.external_account_id, connection.mode)]
        pushing = [] if await of_accounts(db, connection.connector, account) else pushing[:1]
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await each(pushing, partial(_stop_one, client, push), at_once=STOPPED_AT_ONCE)


async def _stop(db: Database, client: Client, push: Push, channels: Sequence[PushChannel]) -> None:
    """Nothing that comes by these is taken any more, and the provider has been told."""
    if not channels:
        return
    if not push.replaces:
        await each([one for one in channels if one.pushes], partial(_stop_one, client, push), at_once=STOPPED_AT_ONCE)
    await push_channels.stopped(db, [channel.id for channel in channels])


async def _stop_one(client: Client, push: Push, channel: PushChannel) -> None:
    try:
        await push.stop(client, channel.id, channel.resource_id)
    except ConnectorError as error:  # it ends by itself
        _log.warning("channel not stopped connection=%s code=%s", channel.connection_id, error.code)
