"""One database: a small pool, connections of one's own, transactions, and errors as sentences."""

import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Self, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from storage import database_errors, settings
from storage.errors import DatabaseBusy, DatabaseRefused, DatabaseUnreachable

# What the pool would say of a lost server, whoever asked it for a connection says in a sentence.
logging.getLogger("psycopg.pool").addHandler(logging.NullHandler())

Conn = AsyncConnection[DictRow]
Result = TypeVar("Result")

OLDEST_POSTGRES = 160_000
CONNECT_SECONDS = 10
POOL_SECONDS = 10
RECONNECT_SECONDS = 5
SEND_BYTES = 4 * 1024 * 1024
CONFLICT_TRIES = 5
LOST_SECONDS = 60

# What a vanished host held is free within a minute, nobody waits for a lock without end, and a run that waits for its
# provider keeps its lock. What is read after a lock is what its last holder committed: READ COMMITTED alone does so.
SESSION = """
    SET TimeZone = 'UTC';
    SET default_transaction_isolation = 'read committed';
    SET idle_session_timeout = 0;
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SET tcp_keepalives_idle = 30;
    SET tcp_keepalives_interval = 10;
    SET tcp_keepalives_count = 3
"""


class Database:
    """All that storage needs of Postgres; opened by `open_database`."""

    def __init__(self, url: str, *, max_size: int) -> None:
        self.where = database_errors.place(url)
        self._url = url
        self._pool: AsyncConnectionPool[Conn] = AsyncConnectionPool(
            url,
            connection_class=AsyncConnection[DictRow],
            kwargs=_options(),
            min_size=0,
            max_size=max_size,
            timeout=POOL_SECONDS,
            reconnect_timeout=RECONNECT_SECONDS,  # the pool's own pauses double; after these, whoever asks tries anew
            configure=_prepare,
            check=AsyncConnectionPool.check_connection,
            open=False,
            name="syncline",
        )

    def __repr__(self) -> str:
        return f"Database({self.where})"

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Conn]:
        """A connection of the pool: every statement commits by itself."""
        with self._sentences():
            try:
                conn = await self._pool.getconn()
            except PoolTimeout:
                async with self.session():  # tells why, if Postgres is to blame
                    pass
                raise DatabaseBusy(
                    f"None of this process's database connections became free within {POOL_SECONDS} s.",
                    "Try again; if it stays so, run fewer syncs at once.",
                ) from None
            try:
                yield conn
            finally:
                await self._pool.putconn(conn)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Conn]:
        """A connection of the pool inside one transaction: all of it is committed, or nothing."""
        async with self.connection() as conn, conn.transaction():
            yield conn

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Conn]:
        """A connection of one's own, for what lives as long as it does: session locks and LISTEN."""
        with self._sentences():
            conn = await _connect(self._url)
            try:
                yield conn
            finally:
                await conn.close()

    async def repeat(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """The result of *work*, done again as a whole after a conflict or a lost connection.

        *work* opens its own transaction, and looks up what became of a COMMIT whose answer was lost.
        """
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((DatabaseBusy, DatabaseUnreachable)),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            stop=_tried_enough,
            reraise=True,
        ):
            with attempt:
                return await work()
        raise AssertionError  # the loop returns or raises

    async def check(self) -> None:
        """Raise unless this is a Postgres that Syncline can stand on."""
        async with self.session() as one:
            if one.info.server_version < OLDEST_POSTGRES:
                raise DatabaseRefused(
                    f"Postgres at {self.where} is version {one.info.server_version // 10_000}.",
                    "Syncline needs Postgres 16 or newer.",
                )
            if not settings.is_embedded():
                async with self.session() as other:
                    await self._refuse_transaction_pooler(one, other)

    async def _refuse_transaction_pooler(self, one: Conn, other: Conn) -> None:
        """Two clients of which one has several backends, or both the same, hold no sessions of their own."""
        mine = {await _backend(one) for _ in range(3)}
        async with other.transaction():
            theirs = await _backend(other)
        if len(mine) > 1 or theirs in mine:
            raise DatabaseRefused(
                f"{self.where} is a connection pooler in transaction mode, where session locks and LISTEN do not hold.",
                "Set SYNCLINE_DATABASE_URL to Postgres itself, or to a pooler in session mode.",
            )

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            told = database_errors.sentence(error, self.where)
            if told is None:
                raise
            raise told from error


@asynccontextmanager
async def open_database(url: str | None = None, *, max_size: int = 4) -> AsyncIterator[Database]:
    """The database in use, reachable and fit for use; its pool connects only when it is asked for something."""
    async with Database(url or settings.database_url(), max_size=max_size) as db:
        await db.check()
        yield db


async def _connect(url: str) -> Conn:
    conn = await AsyncConnection[DictRow].connect(url, **_options())
    try:
        await _prepare(conn)
    except BaseException:
        await conn.close()
        raise
    return conn


def _options() -> dict[str, Any]:
    return {
        "autocommit": True,
        "row_factory": dict_row,
        "application_name": "syncline",
        "client_encoding": "utf8",
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }


async def _prepare(conn: Conn) -> None:
    # Not as startup options: a pooler in session mode refuses those.
    await conn.execute(SESSION)
    _widen(conn)


def _widen(conn: Conn) -> None:
    """What is sent ahead waits in the kernel, as far as it allows, and not in this process while it is busy elsewhere.

    A network's own buffers grow by themselves, and would no longer.
    """
    with suppress(OSError), socket.socket(fileno=os.dup(conn.fileno())) as link:
        if link.family == socket.AF_UNIX:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)


async def _backend(conn: Conn) -> int:
    row = await (await conn.execute("SELECT pg_backend_pid() AS pid")).fetchone()
    return int(row["pid"]) if row else 0


def _tried_enough(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, DatabaseUnreachable):
        return (state.seconds_since_start or 0) >= LOST_SECONDS
    return state.attempt_number >= CONFLICT_TRIES
