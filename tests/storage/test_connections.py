import asyncio
from uuid import UUID, uuid4

import pytest

from storage import connections, keys
from storage.disconnect import disconnect
from storage.errors import Conflict, KeysUnusable, NotActive, UnknownId


async def reconnect(db, connection, **changed):
    given = {"account": "acct_1", "name": "New name", "mode": "test", "scopes": [], "credentials": {"api_key": "new"}}
    return await connections.reconnect(db, connection.id, **given | changed)


async def sealed(db, connection):
    async with db.connection() as conn:
        row = await conn.execute("SELECT credentials FROM syncline.connection WHERE id = %s", [connection.id])
        return (await row.fetchone())["credentials"]


async def test_a_first_connection_is_active_and_its_key_is_ciphertext(db, connect):
    """What opens the account is readable only through `credentials`, and in nothing that is printed."""
    connection = await connect(api_key="sk_canary")

    assert connection.state == "active"
    assert await connections.credentials(db, connection.id) == {"api_key": "sk_canary"}
    assert "canary" not in await sealed(db, connection)
    assert "canary" not in repr(connection)


async def test_the_same_account_again_is_a_reconnect(db, connect):
    """Same user, account and mode: same id, new credentials, no error left."""
    first = await connect(api_key="old")
    await connections.needs_reconnect(db, first.id, "revoked", "Reconnect.")

    again, created = await connections.upsert(
        db,
        connector="stripe",
        user_id="user-1",
        account="acct_1",
        name="Renamed",
        mode="test",
        scopes=["more"],
        credentials={"api_key": "new"},
    )

    assert not created
    assert again.id == first.id
    assert (again.state, again.error, again.account, again.scopes) == ("active", None, "Renamed", ["more"])
    assert await connections.credentials(db, first.id) == {"api_key": "new"}


@pytest.mark.parametrize(
    "other", [{"user_id": "user-2"}, {"account": "acct_2"}, {"mode": "live"}, {"connector": "slack"}]
)
async def test_another_user_account_mode_or_connector_is_another_connection(connect, other):
    """Nothing of one connection is shared with another."""
    assert (await connect()).id != (await connect(**other)).id


async def test_the_same_account_at_the_same_moment_is_one_connection(connect):
    """Of several that connect one account at once all get the same connection."""
    made = await asyncio.gather(*(connect() for _ in range(8)))

    assert len({connection.id for connection in made}) == 1


async def test_a_reconnect_keeps_the_id(db, connection):
    """Reconnecting in place gives new credentials to the same connection, a disconnected one too."""
    await disconnect(db, connection.id)

    again = await reconnect(db, connection)

    assert (again.id, again.state, again.account) == (connection.id, "active", "New name")
    assert await connections.credentials(db, connection.id) == {"api_key": "new"}


async def test_a_reconnect_keeps_what_is_not_given_anew(db, connection):
    """Fields that are to be kept stay until they are given anew; after a disconnect nothing is left of them."""
    keep = ["webhook_secret"]
    await reconnect(db, connection, credentials={"api_key": "new", "webhook_secret": "whsec_1"}, keep=keep)
    await reconnect(db, connection, credentials={"api_key": "newer"}, keep=keep)
    assert await connections.credentials(db, connection.id) == {"api_key": "newer", "webhook_secret": "whsec_1"}

    await reconnect(db, connection, credentials={"api_key": "newer", "webhook_secret": "whsec_2"}, keep=keep)
    assert (await connections.credentials(db, connection.id))["webhook_secret"] == "whsec_2"

    await disconnect(db, connection.id)
    await reconnect(db, connection, credentials={"api_key": "newest"}, keep=keep)
    assert await connections.credentials(db, connection.id) == {"api_key": "newest"}


@pytest.mark.parametrize("other", [{"account": "acct_2"}, {"mode": "live"}])
async def test_a_reconnect_with_another_account_is_refused(db, connection, other):
    """Data of two accounts is never mixed: another account or mode changes nothing."""
    with pytest.raises(Conflict, match="another account or mode"):
        await reconnect(db, connection, **other)

    assert await connections.credentials(db, connection.id) == {"api_key": "key-1"}


async def test_an_id_may_be_shortened_while_unique(db, connect):
    """The beginning of an id is enough, in either case of letters, while only one connection has it."""
    first, second = await connect(account="acct_1"), await connect(account="acct_2")
    async with db.connection() as conn:
        for connection, new in ((first, "aaaa1111"), (second, "aaaa2222")):
            await conn.execute(
                "UPDATE syncline.connection SET id = %s WHERE id = %s",
                [UUID(f"{new}-0000-0000-0000-000000000000"), connection.id],
            )

    assert (await connections.find(db, " AAAA1")).external_account_id == "acct_1"
    assert (await connections.find(db, "aaaa2222-0000-0000-0000-000000000000")).external_account_id == "acct_2"
    with pytest.raises(UnknownId, match="More than one"):
        await connections.find(db, "aaaa")


@pytest.mark.parametrize("text", ["", "bbbb", "%", "_", "'; DROP TABLE", "\x1b[31m", "x" * 5000, "\x00"])
async def test_what_is_no_id_is_unknown(db, connection, text):
    """Anything else is refused in one line, without wildcards, control characters or a database error."""
    with pytest.raises(UnknownId) as caught:
        await connections.find(db, text if text != "bbbb" else "bbbbbbbbb")

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


async def test_connections_are_listed_oldest_first(db, connect):
    """All, or one user's, or one connector's; the active ones alone for a sync."""
    a = await connect(account="a")
    b = await connect(account="b", user_id="user-2")
    c = await connect(account="c", connector="slack")
    await disconnect(db, a.id)

    assert [found.id for found in await connections.listing(db)] == [a.id, b.id, c.id]
    assert [found.id for found in await connections.listing(db, user_id="user-2")] == [b.id]
    assert [found.id for found in await connections.listing(db, connector="slack")] == [c.id]
    assert [found.id for found in await connections.active(db)] == [b.id, c.id]
    assert [found.id for found in await connections.active(db, connector="stripe")] == [b.id]
    assert await connections.active(db, connection_id=a.id) == []


async def test_an_error_is_shown_until_it_is_cleared(db, connection):
    """A sync that fails leaves its sentence, one that succeeds takes it away."""
    await connections.set_error(db, connection.id, "rate_limited", "Stripe asked us to wait.")
    wrong = await connections.get(db, connection.id)
    await connections.clear_error(db, connection.id)

    assert (wrong.error, wrong.error_code, wrong.state) == ("Stripe asked us to wait.", "rate_limited", "active")
    assert (await connections.get(db, connection.id)).error is None


async def test_a_late_success_does_not_hide_that_the_user_is_needed(db, connection):
    """Only a reconnect takes the request to reconnect away; a connection that was let go does not ask for one."""
    await connections.needs_reconnect(db, connection.id, "revoked", "Reconnect.")
    await connections.clear_error(db, connection.id)
    assert (await connections.get(db, connection.id)).error == "Reconnect."

    await disconnect(db, connection.id)
    await connections.needs_reconnect(db, connection.id, "revoked", "Reconnect.")

    assert (await connections.get(db, connection.id)).state == "disconnected"


async def test_unknown_connections_are_said_to_be_unknown(db):
    """Looking up, opening and reconnecting what is not there ends in one way."""
    unknown = uuid4()

    with pytest.raises(UnknownId):
        await connections.get(db, unknown)
    with pytest.raises(UnknownId):
        await connections.credentials(db, unknown)
    with pytest.raises(UnknownId):
        await disconnect(db, unknown)


async def test_a_disconnected_connection_has_no_credentials(db, connection):
    """What opened the account is forgotten, and the sentence says what to do."""
    await disconnect(db, connection.id)

    assert await sealed(db, connection) is None
    with pytest.raises(NotActive, match="Connect the account again"):
        await connections.credentials(db, connection.id)


async def test_the_first_connection_makes_the_first_key(db, connect, monkeypatch):
    """With the embedded database nobody has to think of keys; with one of one's own they are asked for."""
    monkeypatch.delenv("SYNCLINE_ENCRYPTION_KEYS")
    with pytest.raises(KeysUnusable, match="SYNCLINE_ENCRYPTION_KEYS is not set"):
        await connect()
    monkeypatch.delenv("SYNCLINE_DATABASE_URL")

    connection = await connect(api_key="x")

    assert len(keys.read_file()) == 1
    assert await connections.credentials(db, connection.id) == {"api_key": "x"}


async def test_lost_keys_are_not_replaced_by_new_ones(db, connect, monkeypatch):
    """While there are credentials that the lost keys encrypted, the sentence asks for the file instead."""
    monkeypatch.delenv("SYNCLINE_ENCRYPTION_KEYS")
    monkeypatch.delenv("SYNCLINE_DATABASE_URL")
    await connect(account="acct_1")
    keys.path().unlink()

    with pytest.raises(KeysUnusable, match="Put that file back"):
        await connect(account="acct_2")

    assert not keys.exist()
