"""Who may look at the status page: one-time links, browsers that are logged in, and tries that were too many.

Of every secret only its SHA-256 is kept. A session also holds a voucher, made of its secret and the admin token that
let it in: once that token is another, no session that it vouched for is worth anything.
"""

import hashlib
import hmac
import secrets

from storage.database import Database

LINK_MINUTES = 10
IDLE_MINUTES = 30
LONGEST_HOURS = 12
TRIES_A_MINUTE = 10


async def make_link(db: Database) -> str:
    """The secret of a link that logs one browser in, once, within ten minutes."""
    token = secrets.token_urlsafe(32)
    query = "INSERT INTO syncline.login_link VALUES (%s, now() + make_interval(mins => %s))"
    async with db.connection() as conn:
        await conn.execute(query, [_hash(token), LINK_MINUTES])
    return token


async def use_link(db: Database, token: str) -> bool:
    """Whether this link was good until now; it is not any more."""
    query = "DELETE FROM syncline.login_link WHERE token_hash = %s RETURNING expires_at > now() AS good"
    async with db.connection() as conn:
        row = await (await conn.execute(query, [_hash(token)])).fetchone()
    return bool(row and row["good"])


async def log_in(db: Database, admin_token: str) -> str:
    """The secret of a new session."""
    token = secrets.token_urlsafe(32)
    query = "INSERT INTO syncline.login_session (token_hash, voucher) VALUES (%s, %s)"
    async with db.connection() as conn:
        await conn.execute(query, [_hash(token), _voucher(token, admin_token)])
    return token


async def is_logged_in(db: Database, token: str, admin_token: str, *, by_hand: bool = True) -> bool:
    """Whether this session still holds. What a page asks for by itself (not *by_hand*) does not keep it alive."""
    query = """
        SELECT voucher, seen_at < now() - interval '1 minute' AS worth_noting FROM syncline.login_session
         WHERE token_hash = %s AND seen_at > now() - make_interval(mins => %s)
           AND created_at > now() - make_interval(hours => %s)
    """
    async with db.connection() as conn:
        row = await (await conn.execute(query, [_hash(token), IDLE_MINUTES, LONGEST_HOURS])).fetchone()
        if row is None or not hmac.compare_digest(row["voucher"], _voucher(token, admin_token)):
            return False
        if by_hand and row["worth_noting"]:
            await conn.execute(
                "UPDATE syncline.login_session SET seen_at = now() WHERE token_hash = %s", [_hash(token)]
            )
    return True


async def log_out(db: Database, token: str) -> None:
    """The session holds no more, in whatever browser it is."""
    async with db.connection() as conn:
        await conn.execute("DELETE FROM syncline.login_session WHERE token_hash = %s", [_hash(token)])


async def may_try(db: Database, client: str) -> bool:
    """Whether this client may try to log in once more; the try is noted."""
    query = """
        WITH known AS (
            SELECT count(*) AS n FROM syncline.login_try WHERE client = %(client)s AND at > now() - interval '1 minute'
        ), noted AS (
            INSERT INTO syncline.login_try (client) SELECT %(client)s FROM known WHERE n < %(most)s
        )
        SELECT n < %(most)s AS may FROM known
    """
    async with db.transaction() as conn:
        await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('login:' || %s, 0))", [client])
        row = await (await conn.execute(query, {"client": client, "most": TRIES_A_MINUTE})).fetchone()
    return bool(row and row["may"])


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _voucher(token: str, admin_token: str) -> bytes:
    return hmac.digest(token.encode(), admin_token.encode(), "sha256")
