"""Connect sessions: single-use links with which a user connects an account, from the link to what came of it.

Of the link's secret, the state and the browser only hashes are kept; the code verifier is encrypted. Whoever the
session is for stands in its row alone, so nothing that a browser sends can connect an account to somebody else.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row

from storage.connections import keys_ready
from storage.credentials import seal, unseal
from storage.database import Conn, Database

Outcome = Literal["connected", "denied", "failed"]
Why = Literal["unknown", "used", "expired", "other_browser", "other_connector"]

_SELECT = """
    SELECT id, connector, user_id, return_url, connection_id, expires_at, used_at, outcome, error, error_code,
           result_connection_id, redirect_uri, verifier, browser_hash, expires_at < now() AS expired
      FROM syncline.connect_session
"""


class SessionRefused(Exception):
    """The session cannot be used so; `code` says why."""

    def __init__(self, code: Why) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class ConnectSession:
    """Who connects what, and how far that has come."""

    id: UUID
    connector: str
    user_id: str
    return_url: str | None
    connection_id: UUID | None
    """The connection that is to be made anew; None makes one."""
    expires_at: datetime
    used_at: datetime | None
    outcome: Outcome | None
    error: str | None
    error_code: str | None
    result_connection_id: UUID | None
    redirect_uri: str | None
    verifier: str | None
    browser_hash: bytes | None
    expired: bool

    def code_verifier(self) -> str | None:
        """The verifier of the authorization under way, decrypted."""
        return unseal(self.id, self.verifier)["verifier"] if self.verifier else None


@dataclass(frozen=True, slots=True)
class Begun:
    """The authorization that the browser is sent away with; nothing of it is kept in clear."""

    state: str
    verifier: str | None


async def create(
    db: Database,
    *,
    connector: str,
    user_id: str,
    return_url: str | None = None,
    connection_id: UUID | None = None,
    expires_in: int = 900,
) -> tuple[str, datetime]:
    """The secret of a new link, which is told this once, and when it expires."""
    token = secrets.token_urlsafe(32)
    expires_at = datetime.now(UTC) + timedelta(seconds=expires_in)
    insert = """
        INSERT INTO syncline.connect_session (token_hash, connector, user_id, return_url, connection_id, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s)
    """
    async with db.connection() as conn:
        await conn.execute(insert, [_hash(token), connector, user_id, return_url, connection_id, expires_at])
    return token, expires_at


async def look(db: Database, token: str) -> ConnectSession | None:
    """The session of that link, if there is one. Looking changes nothing."""
    async with db.connection() as conn:
        return await _select(conn, "WHERE token_hash = %s", _hash(token))


async def begin(db: Database, token: str, browser: str, *, redirect_uri: str, pkce: bool) -> Begun:
    """The session is this browser's from here on, with a new state. SessionRefused unless it can be used by it.

    The browser that presses the button first has it; pressing again gives up the state before.
    """
    begun = Begun(secrets.token_urlsafe(32), secrets.token_urlsafe(48) if pkce else None)
    update = """
        UPDATE syncline.connect_session SET browser_hash = %s, state_hash = %s, verifier = %s, redirect_uri = %s
         WHERE id = %s
    """
    async with db.transaction() as conn:
        await keys_ready(conn)
        session = await _select(conn, "WHERE token_hash = %s FOR UPDATE", _hash(token))
        session = _usable(session, browser)
        verifier = seal(session.id, {"verifier": begun.verifier}) if begun.verifier else None
        await conn.execute(update, [_hash(browser), _hash(begun.state), verifier, redirect_uri, session.id])
    return begun


async def take(db: Database, token: str, browser: str) -> ConnectSession:
    """The session, used up by this browser without a provider's page in between. SessionRefused unless it can be."""
    async with db.transaction() as conn:
        session = _usable(await _select(conn, "WHERE token_hash = %s FOR UPDATE", _hash(token)), browser)
        await _use(conn, session.id, browser)
    return session


async def take_state(db: Database, state: str, browser: str, connector: str) -> ConnectSession:
    """The session that this state was made for, used up. SessionRefused unless this browser may use it for that.

    A state that comes with another browser or to another connector stays good for the right one.
    """
    async with db.transaction() as conn:
        session = await _select(conn, "WHERE state_hash = %s FOR UPDATE", _hash(state))
        if session is not None and session.connector != connector:
            raise SessionRefused("other_connector")
        session = _usable(session, browser)
        if session.browser_hash is None:
            raise SessionRefused("other_browser")
        await _use(conn, session.id, browser)
    return session


async def give_back(db: Database, session_id: UUID) -> None:
    """The session may be used again by the same browser: what was tried with it has connected nothing."""
    query = "UPDATE syncline.connect_session SET used_at = NULL WHERE id = %s AND outcome IS NULL"
    async with db.connection() as conn:
        await conn.execute(query, [session_id])


async def finish(
    db: Database,
    session_id: UUID,
    outcome: Outcome,
    *,
    connection_id: UUID | None = None,
    error: str | None = None,
    error_code: str | None = None,
) -> None:
    """The session says what came of it."""
    query = """
        UPDATE syncline.connect_session
           SET outcome = %s, result_connection_id = %s, error = %s, error_code = %s, verifier = NULL
         WHERE id = %s
    """

    async def work() -> None:
        async with db.connection() as conn:
            await conn.execute(query, [outcome, connection_id, error, error_code, session_id])

    await db.repeat(work)


def _usable(session: ConnectSession | None, browser: str) -> ConnectSession:
    if session is None:
        raise SessionRefused("unknown")
    if session.used_at:
        raise SessionRefused("used")
    if session.expired:
        raise SessionRefused("expired")
    if session.browser_hash not in {None, _hash(browser)}:
        raise SessionRefused("other_browser")
    return session


async def _use(conn: Conn, session_id: UUID, browser: str) -> None:
    query = """
        UPDATE syncline.connect_session SET used_at = now(), state_hash = NULL, browser_hash = %s WHERE id = %s
    """
    await conn.execute(query, [_hash(browser), session_id])


async def _select(conn: Conn, where: Any, value: bytes) -> ConnectSession | None:
    async with conn.cursor(row_factory=class_row(ConnectSession)) as cursor:
        return await (await cursor.execute(_SELECT + where, [value])).fetchone()


def _hash(secret: str) -> bytes:
    """These secrets are random and long, so nothing slower is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
