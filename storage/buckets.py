"""Whose turn it is at a rate limit: one row per bucket, by Postgres' clock, for all processes.

Times are handed out as seconds from now, because a process's clock need not agree with Postgres'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.database import Conn

# Rows are locked in the order of their names, so that two askers with the same buckets never wait for each other.
TAKE_TURN = """
    WITH mine AS MATERIALIZED (
        SELECT free_at, paused_until
        FROM syncline.rate_bucket WHERE name = ANY(%(names)s)
        ORDER BY name FOR UPDATE
    ), at AS MATERIALIZED (
        SELECT count(*) AS rows, clock_timestamp() AS now, max(free_at) AS free_at, max(paused_until) AS paused_until
        FROM mine
    ), turn AS MATERIALIZED (
        SELECT now, paused_until, greatest(free_at, paused_until, now) AS start,
               greatest(free_at, paused_until) <= now + make_interval(secs => %(ahead)s) AS got
        FROM at WHERE rows = cardinality(%(names)s)
    ), taken AS (
        UPDATE syncline.rate_bucket AS bucket
        SET free_at = turn.start + make_interval(secs => span.seconds)
        FROM turn, unnest(%(names)s::text[], %(spans)s::float8[]) AS span(name, seconds)
        WHERE turn.got AND bucket.name = span.name
    )
    SELECT got, start AS began, extract(epoch FROM now)::float8 AS now, extract(epoch FROM start - now)::float8 AS wait,
           extract(epoch FROM greatest(paused_until, now) - now)::float8 AS pause
    FROM turn
"""
MAKE = """
    INSERT INTO syncline.rate_bucket (name, free_at)
    SELECT unnest(%s::text[]), clock_timestamp() ON CONFLICT DO NOTHING
"""
SETTLE = """
    UPDATE syncline.rate_bucket SET free_at = clock_timestamp() + make_interval(secs => %(left)s)
    WHERE name = %(name)s AND free_at = %(began)s + make_interval(secs => %(span)s)
"""
PAUSE = """
    INSERT INTO syncline.rate_bucket AS bucket (name, free_at, paused_until)
    SELECT name, clock_timestamp(), clock_timestamp() + make_interval(secs => %(seconds)s)
    FROM unnest(%(names)s::text[]) AS name ORDER BY name
    ON CONFLICT (name) DO UPDATE SET paused_until = greatest(bucket.paused_until, excluded.paused_until)
"""
PAUSES = """
    SELECT name, extract(epoch FROM paused_until - clock_timestamp())::float8 AS seconds
    FROM syncline.rate_bucket WHERE name = ANY(%s) AND paused_until > clock_timestamp()
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of asking for a turn."""

    got: bool
    began: datetime
    """When the turn begins, by Postgres' clock, exactly."""
    now: float
    """When it was asked, in seconds by Postgres' clock."""
    wait: float
    """Seconds from then until the turn begins; if it was not got, until one is to be had."""
    pause: float
    """Seconds for which the provider's pause still lasts."""


async def make(conn: Conn, names: Sequence[str]) -> None:
    """The buckets have a row."""
    await conn.execute(MAKE, (list(names),))


async def take_turn(conn: Conn, spans: Mapping[str, float], *, ahead: float) -> Turn | None:
    """A turn at all buckets of *spans* at one moment, each for so many seconds, if it begins within *ahead* seconds.

    All or none: nothing is held while one waits. None if a bucket has no row.
    """
    asked = {"names": list(spans), "spans": list(spans.values()), "ahead": ahead}
    row = await (await conn.execute(TAKE_TURN, asked)).fetchone()
    return Turn(**row) if row else None


async def settle(conn: Conn, name: str, turn: Turn, span: float, *, left: float) -> bool:
    """Whether the turn, taken for *span* seconds, now ends in *left* seconds; not if somebody has had the next one."""
    asked = {"name": name, "began": turn.began, "span": span, "left": left}
    return (await conn.execute(SETTLE, asked)).rowcount == 1


async def pause(conn: Conn, names: Sequence[str], seconds: float) -> None:
    """The buckets are paused for so long from now; a longer pause that was set before stays."""
    await conn.execute(PAUSE, {"names": list(names), "seconds": seconds})


async def pauses(conn: Conn, names: Sequence[str]) -> dict[str, float]:
    """The seconds for which each of these buckets that is paused still will be."""
    rows = await (await conn.execute(PAUSES, (list(names),))).fetchall()
    return {row["name"]: row["seconds"] for row in rows}
