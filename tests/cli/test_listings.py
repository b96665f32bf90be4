"""What the listing commands say of what is in the database."""

import asyncio
import json
import uuid

import pytest

from storage import connections
from storage.database import open_database
from storage.rejected import Rejected, set_aside
from storage.tables import ensure
from tasks.stream_tables import tables_of


@pytest.fixture
def stored(database_url):
    """`stored(work)`: what that coroutine function answers, with the database open."""

    def stored(work):
        async def opened():
            async with open_database() as db:
                return await work(db)

        return asyncio.run(opened())

    return stored


@pytest.fixture
def connection(stored):
    """A connection of user 42."""

    async def made(db):
        found, _ = await connections.upsert(
            db,
            connector="stripe",
            user_id="42",
            account="acct_1",
            name="Acme",
            mode="test",
            scopes=[],
            credentials={"api_key": "sk_test_canary"},
        )
        return found

    return stored(made)


def test_nothing_yet_names_the_first_step(run, database_url):
    """Without connections the person reads how to make one, and a program an empty list."""
    assert "Start with: syncline connect stripe" in run("connections").err
    assert json.loads(run("connections", "--json").out) == {"items": []}
    assert json.loads(run("status", "--json").out)["connections"] == []


def test_connections_are_listed_without_anything_secret(run, connection):
    """The table and the JSON name the connection, never its key."""
    table, data = run("connections"), run("connections", "--json")

    assert str(connection.id) in table.out
    assert json.loads(data.out)["items"][0]["external_account_id"] == "acct_1"
    assert "canary" not in table.out + data.out


def test_only_one_users_connections(run, connection):
    """--user and --connector leave out everybody else's."""
    assert str(connection.id) in run("connections", "--user", "42", "--connector", "stripe").out
    assert run("connections", "--user", "43").out == ""


def test_status_names_what_needs_a_person(run, connection, stored):
    """A connection whose key was refused says so, in a sentence with the command that mends it."""
    stored(lambda db: connections.needs_reconnect(db, connection.id, "wrong_key", "Stripe refused the key."))

    ran = run("status")

    assert "▲ Reconnect needed" in ran.out
    assert f"syncline connect stripe --reconnect {str(connection.id)[:8]} --api-key-stdin" in ran.err


def test_status_as_json_is_the_status_object(run, connection):
    """A program gets every stream of the connector, read or not, and when the next sync comes."""
    (said,) = json.loads(run("status", "--json").out)["connections"]

    assert said["id"] == str(connection.id)
    assert said["connected"] is True
    assert said["next_sync"] is not None
    assert len(said["streams"]) == 8
    assert said["health"]["status"] == "unknown"


def test_the_beginning_of_an_id_is_enough(run, connection):
    """Any unique beginning names the connection; one that names none is wrong use."""
    assert run("disconnect", str(connection.id)[:6], "--yes").code == 0
    assert run("disconnect", "zzzz", "--yes").code == 2
    assert run("sync", str(uuid.uuid4())).code == 2


def test_an_unknown_stream_is_wrong_use(run, connection):
    """A stream that the connector does not have is named, with those that it has."""
    ran = run("sync", str(connection.id), "--stream", "custumers", "--json")

    error = json.loads(ran.out)["error"]
    assert (ran.code, error["code"]) == (2, "unknown_stream")
    assert "customers" in error["action"]


def test_without_prefect_a_sync_names_up(run, connection):
    """No Prefect API: exit code 1, and the command that starts one."""
    ran = run("sync", str(connection.id))

    assert ran.code == 1
    assert "syncline up" in ran.err


def test_disconnect_asks_first(run, connection):
    """Where nobody can be asked nothing is changed without --yes."""
    assert run("disconnect", str(connection.id)).code == 2
    assert "● Connected" in run("connections").out


def test_disconnect_keeps_the_connection_and_purge_does_not(run, connection):
    """Disconnected, it is still listed; purged, it is gone."""
    said = json.loads(run("disconnect", str(connection.id), "--yes", "--json").out)
    assert said["state"] == "disconnected"
    assert "○ Disconnected" in run("connections").out

    assert run("disconnect", str(connection.id), "--purge", "--yes").code == 0
    assert json.loads(run("connections", "--json").out) == {"items": []}


def test_rejected_records_are_shown_with_their_reason(run, connection, stored):
    """What was set aside is listed with why; a program gets the same."""

    async def aside(db):
        table = tables_of("stripe")["customers"]
        async with db.connection() as conn:
            await ensure(conn, [table])
        async with db.transaction() as conn:
            await set_aside(conn, connection.id, table, [Rejected(b"[]", "it is not an object")])

    stored(aside)

    assert "it is not an object" in run("rejected").out
    (record,) = json.loads(run("rejected", "--json").out)["items"]
    assert record["stream"] == "customers"
    assert json.loads(run("rejected", "retry", record["id"][:6], "--json").out) == {"stored": 0, "rejected": 1}
    assert run("rejected", "retry", "0000zz").code == 2


def test_a_table_has_no_colour_in_a_pipe(run, connection):
    """Piped output holds no escape sequence."""
    assert "\x1b" not in run("connections").out


HOSTILE = "Ada\x1b[2J\x1b]0;gone\x07\r\n\x9b31m\u202eevil\u2066\u200b"


def test_foreign_words_do_not_speak_to_the_terminal(run, stored):
    """A name and an error with escapes, line breaks and marks of direction stay on their line, written out."""

    async def made(db):
        found, _ = await connections.upsert(
            db,
            connector="stripe",
            user_id=HOSTILE,
            account="acct_1",
            name=f"[red]{HOSTILE}",
            mode="test",
            scopes=[],
            credentials={"api_key": "sk_test_canary"},
        )
        await connections.set_error(db, found.id, "odd", f"Stripe says: {HOSTILE}")
        return found

    connection = stored(made)
    ran = [run(*command) for command in (["connections"], ["status"], ["disconnect", str(connection.id), "--yes"])]
    printed = "".join(one.out + one.err for one in ran)

    assert [line for line in printed.split("\n") if not line.isprintable()] == []
    assert r"Ada\x1b[2J\x1b]0;gone\x07\r\n\x9b31m\u202eevil\u2066\u200b" in printed
    assert len(ran[0].out.splitlines()) == 2
    as_json = run("connections", "--json").out
    assert as_json.rstrip("\n").isprintable()
    assert json.loads(as_json)["items"][0]["user_id"] == HOSTILE
