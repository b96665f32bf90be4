"""What is old enough to be forgotten: the log of requests and runs, events, channels, and the marks of reads."""

from functools import partial
from typing import LiteralString

from storage import tallies
from storage.database import Database
from storage.settings import storage_settings

BATCH = 5_000

# A page that is older than a day is never written, so its mark has nothing left to guard.
MARK_DAYS = 1
SESSION_DAYS = 1
CHANNEL_DAYS = 1

OLD_REQUESTS = """
    DELETE FROM syncline.api_request WHERE id IN (
        SELECT id FROM syncline.api_request WHERE at < now() - make_interval(days => %s) ORDER BY at LIMIT %s
    )
"""
OLD_RUNS = """
    DELETE FROM syncline.sync_run WHERE outcome IS NOT NULL AND id IN (
        SELECT id FROM syncline.sync_run WHERE ended_at < now() - make_interval(days => %s) ORDER BY ended_at LIMIT %s
    )
"""
OLD_MARKS = """
    DELETE FROM syncline.read_mark WHERE at < now() - make_interval(days => %s) AND ctid = ANY(ARRAY(
        SELECT ctid FROM syncline.read_mark WHERE at < now() - make_interval(days => %s) ORDER BY at LIMIT %s
    ))
"""
OLD_SESSIONS = """
    DELETE FROM syncline.connect_session WHERE id IN (
        SELECT id FROM syncline.connect_session WHERE expires_at < now() - make_interval(days => %s)
        ORDER BY expires_at LIMIT %s
    )
"""
OLD_LOGINS = """
    DELETE FROM syncline.login_session WHERE token_hash IN (
        SELECT token_hash FROM syncline.login_session WHERE created_at < now() - make_interval(days => %s) LIMIT %s
    )
"""
OLD_LINKS = """
    DELETE FROM syncline.login_link WHERE token_hash IN (
        SELECT token_hash FROM syncline.login_link WHERE expires_at < now() - make_interval(days => %s) LIMIT %s
    )
"""
OLD_TRIES = """
    DELETE FROM syncline.login_try WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM syncline.login_try WHERE at < now() - make_interval(days => %s) LIMIT %s
    ))
"""

# What waits or has failed is kept, however old: somebody may still want it applied.
OLD_EVENTS = """
    DELETE FROM syncline.webhook_event WHERE id IN (
        SELECT id FROM syncline.webhook_event
        WHERE status IN ('applied', 'ignored') AND received_at < now() - make_interval(days => %s)
        ORDER BY received_at LIMIT %s
    )
"""
OLD_PAGES = """
    DELETE FROM syncline.read_page WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM syncline.read_page WHERE at < now() - make_interval(days => %s) ORDER BY at LIMIT %s
    ))
"""
OLD_ALERTS = """
    DELETE FROM syncline.alert WHERE id IN (
        SELECT id FROM syncline.alert WHERE cleared_at < now() - make_interval(days => %s) LIMIT %s
    )
"""
OLD_CHANNELS = """
    DELETE FROM syncline.push_channel WHERE id IN (
        SELECT id FROM syncline.push_channel
        WHERE state = 'stopped' AND coalesce(expires_at, tried_at) < now() - make_interval(days => %s) LIMIT %s
    )
"""

# That a key was used is never forgotten, nor anything of an action of which nobody knows what came of it.
OLD_RESULTS = """
    UPDATE syncline.action SET result = NULL, memo = NULL WHERE id IN (
        SELECT id FROM syncline.action
        WHERE status IN ('succeeded', 'failed') AND (result IS NOT NULL OR memo IS NOT NULL)
          AND ended_at < now() - make_interval(days => %s)
        ORDER BY ended_at LIMIT %s
    )
"""


async def prune(db: Database) -> dict[str, int]:
    """Nothing past its retention is left; how many rows went or were emptied. What is under way is never old."""
    await tallies.fold(db)
    log_days, action_days = storage_settings().log_retention_days, storage_settings().action_retention_days
    return {
        "api_request": await _prune(db, OLD_REQUESTS, log_days),
        "action": await _prune(db, OLD_RESULTS, action_days),
        "sync_run": await _prune(db, OLD_RUNS, log_days),
        "webhook_event": await _prune(db, OLD_EVENTS, storage_settings().webhook_retention_days),
        "alert": await _prune(db, OLD_ALERTS, log_days),
        "read_page": await _prune(db, OLD_PAGES, MARK_DAYS),
        "push_channel": await _prune(db, OLD_CHANNELS, CHANNEL_DAYS),
        "login_session": await _prune(db, OLD_LOGINS, SESSION_DAYS),
        "login_link": await _prune(db, OLD_LINKS, SESSION_DAYS),
        "login_try": await _prune(db, OLD_TRIES, SESSION_DAYS),
        "connect_session": await _prune(db, OLD_SESSIONS, SESSION_DAYS),
        # The age is asked twice: a mark that was renewed since it was looked up stays.
        "read_mark": await _prune(db, OLD_MARKS, MARK_DAYS, MARK_DAYS),
    }


async def _prune(db: Database, query: LiteralString, *days: int) -> int:
    gone = 0
    while count := await db.repeat(partial(_delete_batch, db, query, days)):
        gone += count
    return gone


async def _delete_batch(db: Database, query: LiteralString, days: tuple[int, ...]) -> int:
    async with db.connection() as conn:
        return (await conn.execute(query, [*days, BATCH])).rowcount
