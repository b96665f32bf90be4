import asyncio
import socket
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from storage import connections, database
from storage.database import open_database
from storage.errors import (
    DatabaseBusy,
    DatabaseReadOnly,
    DatabaseRefused,
    DatabaseUnreachable,
    DiskFull,
    SchemaMismatch,
)
from tests.fixtures.database import at


def with_login(url, user, password):
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{quote(user)}:{quote(password)}@{parts.netloc.rpartition('@')[2]}"))


async def opening(url):
    async with open_database(url):
        pass


async def refusal(url):
    with pytest.raises(DatabaseRefused) as caught:
        await opening(url)
    return str(caught.value)


async def break_off(db, statement):
    async with db.transaction() as conn:
        await conn.execute(statement)
        raise RuntimeError


async def fail_with(db, code):
    async with db.connection() as conn:
        await conn.execute(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$")


async def test_statements_commit_by_themselves_and_transactions_as_a_whole(db):
    """A pooled connection commits every statement; a transaction that breaks leaves nothing."""
    async with db.connection() as conn:
        await conn.execute("CREATE TABLE kept (n int)")
        await conn.execute("INSERT INTO kept VALUES (1)")
    with pytest.raises(RuntimeError):
        await break_off(db, "INSERT INTO kept VALUES (2)")

    async with db.connection() as conn:
        assert await (await conn.execute("SELECT n FROM kept")).fetchall() == [{"n": 1}]


@pytest.mark.parametrize("opened", ["connection", "session"])
async def test_connections_are_as_we_need_them_whatever_the_database_says(db, database_url, opened):
    """Times are UTC, lock waits and idle transactions end, idle sessions do not, and reads see what was committed."""
    wanted = {
        "TimeZone": "UTC",
        "application_name": "syncline",
        "default_transaction_isolation": "read committed",
        "idle_in_transaction_session_timeout": "1min",
        "idle_session_timeout": "0",
        "lock_timeout": "10s",
    }
    name = urlsplit(database_url).path[1:]
    async with db.connection() as conn:
        await conn.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
        await conn.execute(f"ALTER DATABASE {name} SET idle_session_timeout = '1s'")
        await conn.execute(f"ALTER DATABASE {name} SET TimeZone = 'Asia/Kolkata'")

    async with open_database(database_url) as again, getattr(again, opened)() as conn:
        query = "SELECT name, current_setting(name) AS value FROM unnest(%s::text[]) AS name"
        shown = {row["name"]: row["value"] async for row in await conn.execute(query, [list(wanted)])}

    assert shown == wanted


async def test_an_unreachable_server_is_named_by_host_and_port():
    """Nothing listens there: the sentence names host and port, and never the password."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(DatabaseUnreachable) as caught:
        await opening(f"postgresql://me:hunter2@127.0.0.1:{port}/x")

    assert f"127.0.0.1:{port} cannot be reached" in str(caught.value)
    assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"


async def test_an_unknown_host_is_unreachable():
    """A host that nobody knows is told like a server that is down."""
    with pytest.raises(DatabaseUnreachable, match=r"db\.invalid:5432"):
        await opening("postgresql://me:hunter2@db.invalid/x")


async def test_a_wrong_password_is_told_apart(database_url):
    """A refused log-in says which setting to correct."""
    said = await refusal(with_login(database_url, "syncline", "hunter2"))

    assert "refuses this user name and password" in said
    assert "SYNCLINE_DATABASE_URL" in said
    assert "hunter2" not in said


async def test_an_unknown_user_is_told_like_a_wrong_password(database_url):
    """Which of the two was wrong is not told apart."""
    assert "user name and password" in await refusal(with_login(database_url, "nobody-knows", "hunter2"))


async def test_an_unknown_database_is_told_apart(database_url):
    """The server is there, the database is not."""
    assert "no database of that name" in await refusal(at(database_url, "not-there"))


async def test_an_old_postgres_is_refused(database_url, monkeypatch):
    """What needs a newer Postgres says so at the start."""
    monkeypatch.setattr(database, "OLDEST_POSTGRES", 990_000)

    assert "needs Postgres 16 or newer" in await refusal(database_url)


async def test_a_pooler_in_transaction_mode_is_refused(transaction_pooler):
    """Where session locks and LISTEN do not hold, the start is refused with a sentence."""
    assert "connection pooler in transaction mode" in await refusal(transaction_pooler)


async def test_no_free_connection_is_busy(db, database_url):
    """A server without a free connection is told apart from one that is down."""
    async with db.connection() as conn:
        await conn.execute("DROP ROLE IF EXISTS one_at_a_time")
        await conn.execute("CREATE ROLE one_at_a_time LOGIN PASSWORD 'x' CONNECTION LIMIT 0")

    with pytest.raises(DatabaseBusy, match="max_connections"):
        await opening(with_login(database_url, "one_at_a_time", "x"))

    async with db.connection() as conn:
        await conn.execute("DROP ROLE one_at_a_time")


async def test_an_exhausted_pool_says_so(database_url, monkeypatch):
    """Waiting for one of this process's own connections ends with a sentence of its own."""
    monkeypatch.setattr(database, "POOL_SECONDS", 0.2)
    async with open_database(database_url, max_size=1) as db, db.connection():
        with pytest.raises(DatabaseBusy, match="None of this process's database connections"):
            async with db.connection():
                pass


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("53100", DiskFull),
        ("53300", DatabaseBusy),
        ("40001", DatabaseBusy),
        ("40P01", DatabaseBusy),
        ("55P03", DatabaseBusy),
        ("25006", DatabaseReadOnly),
        ("57P01", DatabaseUnreachable),
        ("42501", DatabaseRefused),
    ],
)
async def test_what_postgres_reports_becomes_a_sentence(db, code, error):
    """Each code of Postgres that is about the database becomes the error of its reaction."""
    with pytest.raises(error) as caught:
        await fail_with(db, code)

    assert caught.value.sentence
    assert caught.value.action


async def test_an_error_about_the_statement_stays_what_it_is(db):
    """What the database refuses of a statement is for the code that sent it."""
    with pytest.raises(psycopg.errors.DivisionByZero):
        async with db.connection() as conn:
            await conn.execute("SELECT 1 / 0")


async def test_a_read_only_database_says_so(db, database_url):
    """Writing to a standby, or to a database that was set so, is refused with a sentence."""
    async with db.connection() as conn:
        await conn.execute(f"ALTER DATABASE {urlsplit(database_url).path[1:]} SET default_transaction_read_only = on")

    async with open_database(database_url) as read_only:
        with pytest.raises(DatabaseReadOnly):
            await connections.set_error(read_only, uuid4(), "x", "x")


async def test_a_database_that_was_never_migrated_says_so(empty_database_url):
    """Missing tables name the command that makes them."""
    async with open_database(empty_database_url) as db:
        with pytest.raises(SchemaMismatch, match="syncline migrate"):
            async with db.connection() as conn:
                await conn.execute("SELECT FROM syncline.connection")


async def test_a_lost_connection_is_repeated(db):
    """Work whose connection is cut is done again as a whole, on a new one."""
    tries = 0

    async def work():
        nonlocal tries
        tries += 1
        async with db.transaction() as conn:
            if tries == 1:
                pid = conn.info.backend_pid
                async with db.connection() as other:
                    await other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            return (await (await conn.execute("SELECT 7 AS n")).fetchone())["n"]

    assert await db.repeat(work) == 7
    assert tries == 2


async def test_an_idle_connection_that_was_cut_is_not_handed_out(db):
    """After a restart of Postgres the pool's dead connections are replaced without anybody noticing."""
    async with db.connection() as conn:
        pid = conn.info.backend_pid
    async with db.session() as conn:
        await conn.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    async with db.connection() as conn:
        assert conn.info.backend_pid != pid


async def test_a_conflict_is_repeated_five_times_at_most(db):
    """Conflicts are tried again soon, and not for ever."""
    tries = 0

    async def work():
        nonlocal tries
        tries += 1
        await fail_with(db, "40001")

    with pytest.raises(DatabaseBusy):
        await db.repeat(work)
    assert tries == 5


async def test_a_deadlock_resolves_itself(db):
    """Two transactions that wait for each other both get done."""
    async with db.connection() as conn:
        await conn.execute("CREATE TABLE pair (id int PRIMARY KEY, n int)")
        await conn.execute("INSERT INTO pair VALUES (1, 0), (2, 0)")
    met = asyncio.Barrier(2)

    async def add(first, second):
        waited = False

        async def work():
            nonlocal waited
            async with db.transaction() as conn:
                await conn.execute("UPDATE pair SET n = n + 1 WHERE id = %s", [first])
                if not waited:
                    waited = True
                    await met.wait()
                await conn.execute("UPDATE pair SET n = n + 1 WHERE id = %s", [second])

        await db.repeat(work)

    await asyncio.gather(add(1, 2), add(2, 1))

    async with db.connection() as conn:
        assert await (await conn.execute("SELECT n FROM pair")).fetchall() == [{"n": 2}, {"n": 2}]


async def test_the_password_is_in_no_repr(db):
    """A database in a traceback or a log shows where it is and no more."""
    assert "://" not in repr(db)
    assert "@" not in repr(db)
