"""Counts of what has happened, by the hour. Triggers keep them, so that whoever writes a row has it counted, and
retention, which deletes rows, makes no total fall.

What is counted, and its labels: `runs` (mode, outcome); `records` (stream, change); `requests` (class of status, or
429, or none); `waited_ms` for rate limits; `events` (received, or what became of them); `lag` from an event's receipt
to its row (upper end in seconds), and `lag_ms`, their sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from storage.database import Database

HOURS_KEPT = 24 * 8


@dataclass(frozen=True, slots=True)
class Count:
    """So many of them; `hour` None stands for all hours together."""

    hour: datetime | None
    name: str
    connector: str
    labels: Sequence[str]
    n: int


async def totals(db: Database) -> list[Count]:
    """Everything that was ever counted."""
    query = """
        SELECT NULL::timestamptz AS hour, name, connector, labels, sum(n)::bigint AS n FROM syncline.tally
        GROUP BY name, connector, labels ORDER BY name, connector, labels
    """
    async with db.connection() as conn, conn.cursor(row_factory=class_row(Count)) as cursor:
        return await (await cursor.execute(query)).fetchall()


async def by_hour(db: Database, hours: int) -> list[Count]:
    """What was counted in each of the last *hours* hours, the one under way included; at most those of eight days."""
    query = """
        SELECT hour, name, connector, labels, sum(n)::bigint AS n FROM syncline.tally
        WHERE hour > date_trunc('hour', now(), 'UTC') - make_interval(hours => %s)
        GROUP BY hour, name, connector, labels ORDER BY hour, name, connector, labels
    """
    async with db.connection() as conn, conn.cursor(row_factory=class_row(Count)) as cursor:
        return await (await cursor.execute(query, [hours])).fetchall()


async def fold(db: Database) -> None:
    """Hours that are over take one row for each count, and those past eight days none of their own: same totals."""
    query = """
        WITH over AS (
            DELETE FROM syncline.tally
             WHERE (hour < now() - interval '2 hours' AND shard <> 0)
                OR (hour < now() - make_interval(hours => %(kept)s) AND hour > '-infinity')
            RETURNING CASE WHEN hour < now() - make_interval(hours => %(kept)s) THEN '-infinity' ELSE hour END AS hour,
                      name, connector, labels, n
        )
        INSERT INTO syncline.tally AS t (hour, name, connector, labels, shard, n)
        SELECT hour, name, connector, labels, 0, sum(n) FROM over GROUP BY hour, name, connector, labels
        ORDER BY hour, name, connector, labels
        ON CONFLICT (hour, name, connector, labels, shard) DO UPDATE SET n = t.n + excluded.n
    """

    async def work() -> None:
        async with db.connection() as conn:
            await conn.execute(query, {"kept": HOURS_KEPT})

    await db.repeat(work)
