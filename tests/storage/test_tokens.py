"""An access token is renewed early, once, and kept before it is used."""

import asyncio
import time

import pytest

from storage import connections, pausing, tokens
from storage.errors import NotActive
from storage.locks import write_lock
from storage.rotation import rotate

HOLDERS = """
    SELECT pg_terminate_backend(pid) FROM pg_locks
     WHERE locktype = 'advisory' AND granted AND objsubid = 1
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (classid::bigint << 32) | objid::bigint = hashtextextended('token:' || %s, 0)
"""


class Provider:
    """Hands out tokens; each refresh token is good once."""

    def __init__(self, holds=3600):
        self.spent = []
        self.holds = holds
        self.failing = None

    async def renew(self, held):
        await asyncio.sleep(0.05)
        if self.failing:
            raise self.failing
        assert held["refresh_token"] not in self.spent, "a refresh token was spent twice"
        self.spent.append(held["refresh_token"])
        return pair(len(self.spent), self.holds)


def pair(number, holds):
    expires_at = str(time.time() + holds)
    return {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_at": expires_at}


@pytest.fixture
def provider():
    return Provider()


@pytest.fixture
def connect_oauth(db):
    """`await connect_oauth(holds)`: the id of a connection whose token holds for so many seconds."""

    async def connect(holds, account="a@b", grant_key="grant a@b", connector="shop"):
        made, _ = await connections.upsert(
            db,
            connector=connector,
            user_id="user-1",
            account=account,
            name=account,
            mode="live",
            scopes=["read"],
            credentials=pair(0, holds),
            grant_key=grant_key,
        )
        return made.id

    return connect


async def test_what_holds_is_used(db, provider, connect_oauth):
    """A token with more than a quarter of an hour to go is not renewed; one without an end never is."""
    held = await tokens.fresh(db, await connect_oauth(1000), provider.renew)

    assert held["access_token"] == "access-0"
    assert provider.spent == []


async def test_what_is_about_to_end_is_renewed_and_kept(db, provider, connect_oauth):
    """The new pair is committed before it is given out."""
    connection_id = await connect_oauth(800)

    held = await tokens.fresh(db, connection_id, provider.renew)

    assert held["access_token"] == "access-1"
    assert await connections.credentials(db, connection_id) == held


async def test_many_at_once_renew_once(db, provider, connect_oauth):
    """However many need the token, its refresh token is spent once, and all go on with the new one."""
    connection_id = await connect_oauth(0)

    held = await asyncio.gather(*(tokens.fresh(db, connection_id, provider.renew) for _ in range(10)))

    assert provider.spent == ["refresh-0"]
    assert {each["access_token"] for each in held} == {"access-1"}


async def test_what_was_refused_is_renewed_once(db, provider, connect_oauth):
    """A token that should hold but was refused is replaced; who comes later with the same refusal gets the new one."""
    connection_id = await connect_oauth(3600)
    refused = await connections.credentials(db, connection_id)

    held = [await tokens.fresh(db, connection_id, provider.renew, refused=refused) for _ in range(3)]

    assert provider.spent == ["refresh-0"]
    assert {each["access_token"] for each in held} == {"access-1"}


async def test_a_failure_cools_down(db, provider, connect_oauth, rows):
    """After a failure nobody asks for half a minute; then it is tried again."""
    connection_id = await connect_oauth(0)
    provider.failing = TimeoutError()
    with pytest.raises(TimeoutError):
        await tokens.fresh(db, connection_id, provider.renew)
    provider.failing = None

    with pytest.raises(tokens.CoolingDown):
        await tokens.fresh(db, connection_id, provider.renew)
    assert provider.spent == []

    rows("UPDATE syncline.connection SET renewal_failed_at = now() - interval '31 seconds'")
    assert (await tokens.fresh(db, connection_id, provider.renew))["access_token"] == "access-1"


async def test_disconnected_meanwhile(db, provider, connect_oauth, rows):
    """A connection that ends while its token is renewed stays without credentials."""
    connection_id = await connect_oauth(0)

    async def renew(held):
        rows("UPDATE syncline.connection SET state = 'disconnected', credentials = NULL")
        return await provider.renew(held)

    await tokens.fresh(db, connection_id, renew)

    with pytest.raises(NotActive):
        await connections.credentials(db, connection_id)


async def test_signed_in_again_meanwhile(db, provider, connect_oauth):
    """What came for the old sign-in never takes the place of a new one, which is what the caller goes on with."""
    connection_id = await connect_oauth(0)

    async def renew(held):
        again, _ = await connections.upsert(
            db,
            connector="shop",
            user_id="user-1",
            account="a@b",
            name="a@b",
            mode="live",
            scopes=["read", "write"],
            credentials=pair(7, 3600),
        )
        assert again.id == connection_id
        return await provider.renew(held)

    held = await tokens.fresh(db, connection_id, renew)

    assert held["access_token"] == "access-7"
    assert await connections.credentials(db, connection_id) == held


async def test_cancelled_meanwhile(db, provider, connect_oauth):
    """Whoever stops waiting loses no token: it is kept before the cancellation goes on."""
    connection_id = await connect_oauth(0)
    asked = asyncio.Event()

    async def renew(held):
        asked.set()
        return await provider.renew(held)

    waiting = asyncio.create_task(tokens.fresh(db, connection_id, renew))
    await asked.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert (await connections.credentials(db, connection_id))["access_token"] == "access-1"


async def test_the_lock_is_lost_meanwhile(db, provider, connect_oauth, rows):
    """A token that came after its lock was lost is kept and used; who found the refresh token spent is contradicted."""
    connection_id = await connect_oauth(0)

    async def renew(held):
        ended = rows(HOLDERS, [str(connection_id)])
        assert ended == [{"pg_terminate_backend": True}]
        await connections.needs_reconnect(db, connection_id, "reconnect", "Sign in again.")
        return await provider.renew(held)

    held = await tokens.fresh(db, connection_id, renew)

    assert held["access_token"] == "access-1"
    assert await connections.credentials(db, connection_id) == held
    after = await connections.get(db, connection_id)
    assert (after.state, after.error, after.error_code) == ("active", None, None)


async def test_data_that_is_rolled_back_takes_no_token_along(db, provider, connect_oauth):
    """A token that is renewed while the connection's row is locked by a data transaction outlives its end."""
    connection_id = await connect_oauth(0)
    came = asyncio.Event()

    async def renew(held):
        new = await provider.renew(held)
        came.set()
        return new

    async with db.connection() as conn, conn.transaction(force_rollback=True):
        await write_lock(conn, connection_id)
        await conn.execute("UPDATE syncline.connection SET change_seq = 9 WHERE id = %s", [connection_id])
        renewing = asyncio.create_task(tokens.fresh(db, connection_id, renew))
        await came.wait()

    assert (await renewing)["access_token"] == "access-1"
    assert (await connections.credentials(db, connection_id))["access_token"] == "access-1"


async def test_renewing_holds_up_no_data(db, provider, connect_oauth):
    """While the provider is asked, the connection's rows are written as ever."""
    connection_id = await connect_oauth(0)
    written = []

    async def renew(held):
        async with db.transaction() as conn:
            await write_lock(conn, connection_id)
            await conn.execute("UPDATE syncline.connection SET change_seq = 9 WHERE id = %s", [connection_id])
        written.append(True)
        return await provider.renew(held)

    await tokens.fresh(db, connection_id, renew)

    assert written


async def test_a_new_sign_in_is_not_asked_for_again(db, connect_oauth):
    """A refusal of what was given before does not mark a connection whose user has signed in again since."""
    connection_id = await connect_oauth(3600)
    before = await connections.get(db, connection_id)
    assert await connect_oauth(3600) == connection_id

    await connections.needs_reconnect(db, connection_id, "x", "Reconnect.", signed_in_at=before.signed_in_at)
    assert (await connections.get(db, connection_id)).state == "active"

    after = await connections.get(db, connection_id)
    await connections.needs_reconnect(db, connection_id, "x", "Reconnect.", signed_in_at=after.signed_in_at)
    assert (await connections.get(db, connection_id)).state == "needs_reconnect"


async def test_keys_are_rotated_meanwhile(db, provider, connect_oauth, monkeypatch, tmp_path):
    """A rotation while a token is renewed loses neither the token nor the key that opens it."""
    monkeypatch.delenv("SYNCLINE_ENCRYPTION_KEYS")
    monkeypatch.setattr("storage.keys.may_be_made", lambda: True)
    monkeypatch.setattr("storage.keys.are_kept_here", lambda: True)
    ids = [await connect_oauth(0, account=f"{n}@b") for n in range(5)]

    async def renew_all():
        for _ in range(4):
            for connection_id in ids:
                held = await connections.credentials(db, connection_id)
                await tokens.fresh(db, connection_id, Provider().renew, refused=held)

    await asyncio.gather(renew_all(), *(rotate(db) for _ in range(3)))

    for connection_id in ids:
        assert (await connections.credentials(db, connection_id))["access_token"] == "access-1"


async def test_who_needs_renewing(db, connect_oauth, rows):
    """What ends soon or was not renewed for a week is named, paused or not; what holds, or is no grant, is not."""
    soon = await connect_oauth(600, account="soon@b")
    idle = await connect_oauth(86_400, account="idle@b")
    await connect_oauth(86_400, account="fine@b")
    await connect_oauth(10, account="key@b", grant_key=None)
    paused = await connect_oauth(86_400, account="paused@b")
    gone = await connect_oauth(10, account="gone@b")
    await pausing.set_paused(db, paused, paused=True)
    await connections.needs_reconnect(db, gone, "x", "Reconnect.")
    rows(
        "UPDATE syncline.connection SET updated_at = now() - interval '8 days' WHERE account IN ('idle@b', 'paused@b')"
    )

    assert set(await tokens.expiring(db, within_seconds=7200)) == {soon, idle, paused}


async def test_who_shares_a_grant(db, connect_oauth, rows):
    """Another connection of the same grant keeps it alive, unless it is disconnected itself."""
    calendar = await connect_oauth(100, connector="calendar")
    alone = await connect_oauth(100, account="b@b", grant_key="grant b@b", connector="calendar")
    mail = await connect_oauth(100, connector="mail")

    assert await tokens.shared(db, calendar)
    assert not await tokens.shared(db, alone)
    rows("UPDATE syncline.connection SET state = 'disconnected' WHERE id = %s", [mail])
    assert not await tokens.shared(db, calendar)
