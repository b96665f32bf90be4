"""What the page shows, read from Postgres and put into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from connectors.base import Connector
from connectors.registry import find_connectors
from deployments.schedule import next_sync
from storage import action_lists, alerts, inbox_lists, overview, run_lists, tallies
from storage.connection_lists import Place
from storage.database import Database
from storage.overview import Sought
from storage.status import status
from tasks.push import showing
from web.status import words
from web.status.charts import charts

CARDS = 24
"""Of more connections than these a table is shown."""
A_PAGE = 50
LISTED = 12
"""Of runs and events, before one has to ask for more."""
NEEDING = 10
HOURS = {24: 1, 168: 6}
"""How much the charts show, and how many hours make a bar."""
SHOWN_AS_NEEDY = {"needs_reconnect"}
"""Alerts of connections that ask for a person anyway."""
QUICK_SECONDS, CALM_SECONDS = 2, 15

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants to look at."""

    sought: Sought
    after: Place | None = None
    hours: int = 24


async def home(db: Database, asked: Asked) -> Facts:
    """Everything on the first page."""
    version = await overview.version(db)  # first: what changes meanwhile is then shown once more
    counts, inbox = await overview.counts(db), await overview.inbox_counts(db)
    ids, more = await overview.find(db, asked.sought, limit=A_PAGE, after=asked.after)
    needy = await overview.waiting_for_people(db, NEEDING)
    counted = await tallies.by_hour(db, asked.hours)
    everyone = {one["id"]: one for one in await standing(db, list({*ids, *needy}))}
    sentence, badge = words.overall(counts)
    return {
        "version": version,
        "every": QUICK_SECONDS if counts["syncing"] or inbox["pending"] else CALM_SECONDS,
        "counts": counts,
        "sentence": sentence,
        "badge": badge,
        "connections": [everyone[str(id_)] for id_ in ids if str(id_) in everyone],
        "as_table": counts["all"] > CARDS,
        "more": more,
        "needy": [everyone[str(id_)] for id_ in needy if str(id_) in everyone],
        "unknown": await action_lists.listing(db, limit=NEEDING, status="unknown"),
        "alerts": [one for one in await alerts.open_alerts(db) if one["kind"] not in SHOWN_AS_NEEDY],
        "runs": await run_lists.latest(db, limit=LISTED),
        "events": await named(db, await inbox_lists.listing(db, limit=LISTED)),
        "inbox": inbox,
        "event_totals": _event_totals(counted),
        "groups": await overview.rejected_groups(db),
        "charts": charts(counted, asked.hours, HOURS[asked.hours]),
        "late": await _freshness(db),
        "hours": asked.hours,
    }


async def standing(db: Database, ids: Sequence[UUID]) -> list[Facts]:
    """These connections as the status object tells them, with their badges and their last runs."""
    streams = {name: [stream.name for stream in found.streams] for name, found in find_connectors().items()}
    told, strips = await status(db, streams, next_sync, showing(), ids=ids), await run_lists.strips(db, ids)
    return [_shown(one, strips[UUID(one["id"])]) for one in told["connections"]]


async def named(db: Database, rows: Sequence[Mapping[str, Any]]) -> list[Facts]:
    """The rows with the account that each is of; empty where it is of none that is connected."""
    accounts = await overview.accounts(db, [UUID(row["connection_id"]) for row in rows if row["connection_id"]])
    return [
        dict(row) | {"account": accounts.get(row["connection_id"], ""), **_titled(row["connector"])} for row in rows
    ]


def _shown(connection: Facts, strip: Sequence[Mapping[str, Any]]) -> Facts:
    under_way = next((run for run in reversed(strip) if run["outcome"] is None), None)
    return connection | {
        "badge": words.badge(connection),
        "waiting_until": words.waiting_until(connection),
        "strip": strip,
        "seconds_left": _seconds_left(connection["progress"], under_way),
        "closed": [part["stream"] for part in connection["streams"] if not part["available"]],
        **_titled(connection["connector"]),
    }


def _titled(name: str) -> Facts:
    """The connector's title and mark; a connector that was taken away still has its name."""
    connector: Connector | None = find_connectors().get(name)
    title = connector.title if connector else name
    return {"title": title, "mark": (connector.mark if connector else "") or title[0]}


def _seconds_left(progress: Mapping[str, Any] | None, run: Mapping[str, Any] | None) -> float | None:
    """By this run's own rate, where it knows how many parts there are."""
    if not progress or not run or not progress["parts_total"] or not progress["parts_done"]:
        return None
    so_far = (datetime.now(UTC) - run["started_at"]).total_seconds()
    return float(so_far / progress["parts_done"] * (progress["parts_total"] - progress["parts_done"]))


def _event_totals(counted: Sequence[tallies.Count]) -> dict[str, int]:
    totals = {"applied": 0, "ignored": 0}
    for one in counted:
        if one.name == "events" and one.labels[0] in totals:
            totals[one.labels[0]] += one.n
    return totals


async def _freshness(db: Database) -> list[Facts]:
    """How old the oldest last successes are, against the quarter of an hour in which the next is due."""
    now = datetime.now(UTC)
    rows = await overview.oldest_successes(db)
    return [
        row | {"minutes": max(0.0, (now - row["at"]).total_seconds() / 60), **_titled(row["connector"])} for row in rows
    ]
