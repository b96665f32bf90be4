"""Channels and watches: asked for by a connection's own runs, and stopped when it leaves."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.client import Client
from connectors.errors import ConnectorError, RateLimited, Reconnect, Refused
from connectors.push import Channel, Push
from connectors.registry import get
from storage import checkpoints, push_channels
from storage.connections import Connection
from storage.database import Database
from storage.push_channels import PushChannel
from storage.times import iso
from storage.webhook_targets import of_accounts
from tasks.settings import load
from tasks.sync import Sync

_log = logging.getLogger(__name__)
_POLLED: dict[str, str | None] = {"state": "polled", "expires_at": None}


def address_of(connector: str) -> str | None:
    """Where that connector's provider delivers to; None while nobody knows where we are."""
    public = load().public_url.strip().rstrip("/")
    return f"{public}/webhooks/{connector}" if public else None


def polled(connector: str) -> str | None:
    """Why nothing can be pushed, as a sentence; None where it can, or where the provider's pushes need no asking."""
    push = get(connector).push
    return push.missing(address_of(connector) or "https://") if push else None


def shown(connector: str, channels: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str | None]]:
    """How each stream is pushed: `active` until `expires_at`, `refused` by the provider, `failed` for now, or `polled`
    because nobody has set it up; no entry where the provider is not asked to push.
    """
    push = get(connector).push
    if push is None:
        return {}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for channel in channels:
        for stream in push.streams(channel["subject"]):
            found.setdefault(stream, []).append(channel)
    if not found:
        return dict.fromkeys(push.streams(""), _POLLED) if polled(connector) else {}
    return {stream: _together(its) for stream, its in found.items()}


def _together(channels: Sequence[Mapping[str, Any]]) -> dict[str, str | None]:
    """Of several the one that ends first; a calendar that refuses push makes the others no worse."""
    states = {channel["state"] for channel in channels}
    state = "failed" if "failed" in states else "active" if "active" in states else "refused"
    ends = [channel["expires_at"] for channel in channels if channel["state"] == "active" and channel["expires_at"]]
    return {"state": state, "expires_at": iso(min(ends, default=None))}


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
    needed, old = await push_channels.lacking(db, connection.id, subjects, renew_seconds=push.renew_seconds)
    made = {subject for subject in needed if await _watch(sync, push, subject, address)}
    # A channel that still lives goes on until another one has taken its place.
    over = [one for one in old if one.subject in made or one.subject not in subjects or one.expires_at is None]
    await _stop(db, sync.source.client, push, over)
    return bool(made)


async def _watch(sync: Sync, push: Push, subject: str, address: str) -> bool:
    """Whether the subject is watched now. The row is there first: a delivery may come before the answer."""
    if sync.source.out_of_time:
        return False
    db, connection_id = sync.workshop.db, sync.source.connection.id
    channel_id, token = await push_channels.begin(db, connection_id, subject)
    try:
        made = await push.watch(sync.source.client, Channel(subject, channel_id, token, address))
    except (Reconnect, RateLimited) as error:
        await push_channels.not_made(db, channel_id, "failed", str(error))
        raise
    except ConnectorError as error:
        state = "refused" if isinstance(error, Refused) else "failed"
        await push_channels.not_made(db, channel_id, state, str(error))
        _log.warning("not watched connection=%s state=%s code=%s", connection_id, state, error.code)
        return False
    await push_channels.made(db, channel_id, expires_at=made.expires_at, resource_id=made.resource_id)
    return True


async def stop_all(db: Database, client: Client, connection: Connection, channels: Sequence[PushChannel]) -> None:
    """Nothing is pushed for this connection any more, as far as the provider answers."""
    push = get(connection.connector).push
    if push is None:
        return
    account = [(connection.external_account_id, connection.mode)]
    if push.replaces and await of_accounts(db, connection.connector, account):
        channels_at_provider: Sequence[PushChannel] = ()  # another connection rests on the account's one watch
    else:
        channels_at_provider = channels[:1] if push.replaces else channels
    await _stop(db, client, push, channels_at_provider, always=True)


async def _stop(
    db: Database, client: Client, push: Push, channels: Iterable[PushChannel], *, always: bool = False
) -> None:
    found = list(channels)
    for channel in found:
        if channel.state != "active" or (push.replaces and not always):
            continue
        try:
            await push.stop(client, channel.id, channel.resource_id)
        except ConnectorError as error:
            _log.warning("channel not stopped connection=%s code=%s", channel.connection_id, error.code)
    if found:
        await push_channels.stopped(db, [channel.id for channel in found])
