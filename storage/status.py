"""How every connection stands: what people, pages and programs are shown. A few queries, however many connections."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from storage import push_channels
from storage.connections import Connection
from storage.database import Database
from storage.health import health, histories, services
from storage.locks import run_lock_held
from storage.times import iso

# A run whose lock nobody holds is dead, whatever its row says. A confirmation is asked for until a full sync has gone
# through since.
CONFIRMATION_DUE = sql.SQL(
    """
    EXISTS (
        SELECT FROM (
            SELECT max(ended_at) AS at FROM syncline.sync_run
             WHERE connection_id = connection.id AND outcome = 'needs_confirmation'
        ) AS asked
         WHERE asked.at IS NOT NULL AND NOT EXISTS (
            SELECT FROM syncline.sync_run
             WHERE connection_id = connection.id AND outcome = 'done' AND mode = 'full' AND ended_at > asked.at
         )
    )
    """
)
FACTS = sql.SQL(
    """
    SELECT connection.id, connector, user_id, external_account_id, mode, account, state, scopes, full_due, error,
           error_code, created_at, signed_in_at, states.streams, states.last_sync,
           open.connection_id IS NOT NULL AS sync_in_progress,
           open.progress, {confirmation_due} AS confirmation_due
    FROM syncline.connection
    LEFT JOIN (
        SELECT connection_id, max(last_sync) AS last_sync, jsonb_object_agg(stream, jsonb_build_object(
                   'available', available, 'unavailable_reason', unavailable_reason, 'rows', rows,
                   'last_full_sync', last_full_sync, 'coverage', coverage
               )) AS streams
        FROM syncline.sync_state GROUP BY connection_id
    ) AS states ON states.connection_id = connection.id
    LEFT JOIN (
        SELECT DISTINCT ON (connection_id) connection_id, progress FROM syncline.sync_run
        WHERE outcome IS NULL AND {held} ORDER BY connection_id, started_at DESC
    ) AS open ON open.connection_id = connection.id
    WHERE %(ids)s::uuid[] IS NULL OR connection.id = ANY(%(ids)s)
    ORDER BY connection.created_at, connection.id
    """
).format(held=run_lock_held("connection_id"), confirmation_due=CONFIRMATION_DUE)

Pushed = Callable[[str, Sequence[Mapping[str, Any]]], Mapping[str, Mapping[str, str | None]]]
"""Given a connector's name and a connection's channels: how each stream is pushed."""

NEW_STREAM: Mapping[str, Any] = {
    "available": True,
    "unavailable_reason": None,
    "rows": 0,
    "last_full_sync": None,
    "coverage": None,
}


async def status(
    db: Database,
    streams: Mapping[str, Sequence[str]] | None = None,
    next_sync: Callable[[Connection], datetime | None] | None = None,
    pushed: Pushed | None = None,
    *,
    ids: Sequence[UUID] | None = None,
    public_url: str | None = None,
) -> dict[str, Any]:
    """The status object, of all connections or of those named. *streams* names each connector's streams, so that one
    never read is shown as well; *next_sync* knows when an active connection's turn comes, *pushed* what a
    connection's channels are for, *public_url* where the pages are on which people do what is to be done.
    """
    known = streams or {}
    history = {found.connection_id: found for found in await histories(db, ids)}
    async with db.connection() as conn:
        rows = await (await conn.execute(FACTS, {"ids": ids})).fetchall()
    channels = await push_channels.shown(db, [row["id"] for row in rows])
    told = {
        row["id"]: pushed(row["connector"], channels.get(row["id"], []))
        for row in rows
        if pushed and row["state"] != "disconnected"
    }
    return {
        "connections": [
            _standing(row, known.get(row["connector"], ()), next_sync, told.get(row["id"], {}))
            | {"action": _action(row, public_url)}
            | {"health": health(row["connector"], [history[row["id"]]] if row["id"] in history else [])}
            for row in rows
        ],
        "services": services(history.values(), known),
    }


def _standing(
    row: Mapping[str, Any],
    known: Sequence[str],
    next_sync: Callable[[Connection], datetime | None] | None,
    pushed: Mapping[str, Mapping[str, str | None]],
) -> dict[str, Any]:
    connection = Connection(**{field.name: row[field.name] for field in fields(Connection)})
    streams = [stream | {"push": pushed.get(stream["stream"])} for stream in _streams(row["streams"] or {}, known)]
    is_active = connection.state == "active"
    return {
        "id": str(connection.id),
        "connector": connection.connector,
        "user_id": connection.user_id,
        "account": connection.account,
        "state": connection.state,
        "connected": connection.state in {"active", "paused"},
        "last_sync": iso(row["last_sync"]),
        "next_sync": iso(next_sync(connection)) if next_sync and is_active else None,
        "sync_in_progress": row["sync_in_progress"],
        "progress": _progress(row["progress"] or {}),
        "records": sum(stream["rows"] for stream in streams),
        "error": connection.error,
        "error_code": connection.error_code,
        "streams": streams,
    }


def _streams(states: Mapping[str, Mapping[str, Any]], known: Sequence[str]) -> list[dict[str, Any]]:
    """In the connector's own order; streams that it no longer has come last, their rows are still there."""
    names = [*known, *sorted(states.keys() - set(known))]
    return [{"stream": name} | _stream(states.get(name, NEW_STREAM)) for name in names]


def _stream(state: Mapping[str, Any]) -> dict[str, Any]:
    coverage = state["coverage"] or {}
    return {
        "available": state["available"],
        "unavailable_reason": state["unavailable_reason"],
        "rows": state["rows"],
        "last_full_sync": _moment(state["last_full_sync"]),
        "complete_from": _moment(coverage.get("complete_from")),
        "backlog": coverage.get("backlog", 0),
        "unreadable": sorted(coverage.get("unreadable", {}).values()),
    }


def _moment(said: str | None) -> str | None:
    return iso(datetime.fromisoformat(said)) if said else None


def _progress(streams: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """The stream under way: of several the first that is not done."""
    for name, at in streams.items():
        if not at.get("done"):
            return {
                "stream": name,
                "records": at.get("records", 0),
                "parts_done": at.get("parts_done", 0),
                "parts_total": at.get("parts_total"),
                "waiting_until": at.get("waiting_until"),
            }
    return None


def _action(row: Mapping[str, Any], public_url: str | None) -> dict[str, str | None] | None:
    url = f"{public_url}/connections/{row['id']}" if public_url else None
    if row["state"] == "needs_reconnect":
        return {"kind": "reconnect", "url": url}
    if row["confirmation_due"] and row["state"] == "active":
        return {"kind": "confirm_deletes", "url": url}
    return None
