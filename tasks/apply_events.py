"""Applies events of one connection: what they tell is written, what they name is read by id or looked through."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from connectors.base import Key
from connectors.errors import ConnectorError, Reconnect, Refused
from connectors.webhooks import Meaning, Stored, Webhooks
from storage import checkpoints, inbox
from storage.inbox import Taken
from storage.loads import Load, Told
from tasks.keys import key_text
from tasks.read_changes import apply_changes, mark_unavailable
from tasks.reread import read_again
from tasks.sync import Sync

NOT_YET_SECONDS = 15.0
"""A stream that is being read in full for the first time has no place yet from which changes could be told."""

Meanings = Mapping[UUID, Meaning]


@dataclass(frozen=True, slots=True)
class Why:
    """Why an event could not be applied: for people, and for machines."""

    sentence: str
    code: str


_NO_TIME = Why("There was no time left to read what it is about.", code="no_time")


class NotYet(Exception):
    """What these events are about has not been read for the first time: they wait."""


@dataclass(slots=True)
class Outcome:
    """What became of the events that were not applied."""

    failed: dict[UUID, Why] = field(default_factory=dict)
    for_good: dict[UUID, str] = field(default_factory=dict)


async def apply_events(sync: Sync, webhooks: Webhooks, events: Sequence[Taken]) -> Outcome:
    """Everything that these events say is in Postgres, or it is told of which of them it is not.

    Raises ConnectorErrors that concern the connection as a whole, and NotYet.
    """
    meanings = {event.id: _meaning(webhooks, event) for event in events}
    outcome = Outcome(for_good={id_: said.malformed for id_, said in meanings.items() if said.malformed})
    meanings = {id_: said for id_, said in meanings.items() if not said.malformed}
    await checkpoints.states(
        sync.workshop.db, sync.run.connection_id, [stream.name for stream in sync.source.connector.streams]
    )
    await _ask_for_access(sync, [id_ for id_, said in meanings.items() if said.access])
    await _write_told(sync, meanings)
    outcome.failed |= await _read_touched(sync, meanings)
    outcome.failed |= await _look_through(sync, meanings)
    await _settle(sync, [id_ for id_ in meanings if id_ not in outcome.failed])
    return outcome


def _meaning(webhooks: Webhooks, event: Taken) -> Meaning:
    return webhooks.meaning(Stored(event.id, event.event_type, event.body, event.said, event.received_at))


async def _ask_for_access(sync: Sync, ids: Sequence[UUID]) -> None:
    """Events that say access has ended may be old: the provider knows. Reconnect when it is so."""
    if not ids:
        return
    try:
        await sync.source.connector.identify(sync.source.client)
    except Reconnect:
        await _settle(sync, ids)
        raise


async def _write_told(sync: Sync, meanings: Meanings) -> None:
    told: dict[str, list[Told]] = defaultdict(list)
    for meaning in meanings.values():
        for one in meaning.told:
            told[one.stream].append(Told(one.record, one.at, one.made, one.gone))
    for stream, records in told.items():
        if _granted(sync, stream):
            await sync.loader.add(Load(sync.table(stream), sync.loader.note, told=records))


async def _read_touched(sync: Sync, meanings: Meanings) -> dict[UUID, Why]:
    """Each record that is named is read once, however many events name it; the events whose records could not be."""
    wanted: dict[str, dict[Key, list[UUID]]] = defaultdict(lambda: defaultdict(list))
    for id_, meaning in meanings.items():
        for stream, key in meaning.touched:
            if _granted(sync, stream):
                wanted[stream][key].append(id_)
    for stream, keys in wanted.items():
        await sync.loader.add(Load(sync.table(stream), sync.loader.note, touched=[key_text(key) for key in keys]))
    await sync.loader.flush()
    failed: dict[UUID, Why] = {}
    for stream in {*wanted, *(one.stream for meaning in meanings.values() for one in meaning.told)}:
        failed |= await _read_stream(sync, stream, {key_text(key): ids for key, ids in wanted[stream].items()})
    return failed


async def _read_stream(sync: Sync, stream: str, ids_of: Mapping[str, list[UUID]]) -> dict[UUID, Why]:
    why: ConnectorError | None = None
    try:
        await read_again(sync, stream)
    except Refused as refused:  # the stream alone is closed to these credentials
        why = refused
        await mark_unavailable(sync, stream, str(refused))
    await sync.loader.flush()
    if not ids_of:
        return {}
    left = await checkpoints.still_to_reread(sync.workshop.db, sync.run.connection_id, stream, list(ids_of))
    why = why or sync.failures.pop(stream, None)
    said = Why(str(why), why.code) if why else _NO_TIME
    return {id_: said for key in left for id_ in ids_of[key]}


async def _look_through(sync: Sync, meanings: Meanings) -> dict[UUID, Why]:
    """What is only known to have changed is asked for, from where each stream's changes were last told."""
    subjects = {subject: None for meaning in meanings.values() for subject in meaning.subjects}
    if not subjects:
        return {}
    names = [stream.name for stream in sync.source.connector.streams if _granted(sync, stream.name)]
    states = await checkpoints.states(sync.workshop.db, sync.run.connection_id, names)
    cursors = {name: dict(state.cursor) for name, state in states.items() if state.cursor is not None}
    if not cursors:
        await _settle(sync, [id_ for id_, meaning in meanings.items() if not meaning.subjects])
        raise NotYet
    changes = sync.source.connector.changes_of(sync.source.client, list(subjects), cursors)
    end, _ = await apply_changes(sync, changes)
    await sync.loader.flush()
    for stream in cursors:
        if await read_again(sync, stream) != "done":
            end = "continued"
    await sync.loader.flush()
    if end != "continued":
        return {}
    return {id_: _NO_TIME for id_, meaning in meanings.items() if meaning.subjects}


async def _settle(sync: Sync, ids: Sequence[UUID]) -> None:
    """These events are applied, once everything before has been committed."""
    if ids:
        stream = sync.source.connector.streams[0].name
        await sync.loader.add(Load(sync.table(stream), sync.loader.note, after=[inbox.applied(ids)]))
        await sync.loader.flush()


def _granted(sync: Sync, stream: str) -> bool:
    return sync.stream(stream).scopes <= sync.source.client.session.scopes
