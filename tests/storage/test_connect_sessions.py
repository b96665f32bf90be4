"""A connect session is good for one browser, one provider, one time, for as long as it says."""

import asyncio

import pytest

from storage import connect_sessions
from storage.connect_sessions import SessionRefused

BEGIN = {"redirect_uri": "http://127.0.0.1/callback", "pkce": True}


async def new(db, **fields):
    token, _ = await connect_sessions.create(db, **{"connector": "shop", "user_id": "user-1"} | fields)
    return token


async def refused(work):
    with pytest.raises(SessionRefused) as caught:
        await work
    return caught.value.code


async def expire(db):
    async with db.connection() as conn:
        await conn.execute("UPDATE syncline.connect_session SET expires_at = now() - interval '1 second'")


async def test_from_the_link_to_its_end(db):
    """The state leads back to who connects what, and the verifier; afterwards the session tells what came of it."""
    token = await new(db, return_url="https://app.example.com/done")
    begun = await connect_sessions.begin(db, token, "browser", **BEGIN)

    session = await connect_sessions.take_state(db, begun.state, "browser", "shop")

    assert (session.user_id, session.return_url) == ("user-1", "https://app.example.com/done")
    assert session.code_verifier() == begun.verifier
    assert len(begun.verifier) >= 43  # RFC 7636
    await connect_sessions.finish(db, session.id, "denied", error="No.", error_code="denied")
    found = await connect_sessions.look(db, token)
    assert (found.outcome, found.error, bool(found.used_at)) == ("denied", "No.", True)


async def test_looking_changes_nothing(db, rows):
    """Scanners of links burn nothing: the row is the same after any number of looks."""
    token = await new(db)
    before = rows("SELECT *, xmin::text FROM syncline.connect_session")

    assert all([await connect_sessions.look(db, token) for _ in range(6)])
    assert await connect_sessions.look(db, token + "x") is None

    assert rows("SELECT *, xmin::text FROM syncline.connect_session") == before


async def test_nothing_secret_is_kept_in_clear(db, rows):
    """Of link, browser and state only hashes are in the table, and the verifier is encrypted."""
    token = await new(db)
    begun = await connect_sessions.begin(db, token, "browser-secret", **BEGIN)

    [row] = rows("SELECT t::text AS all FROM syncline.connect_session t")

    for secret in (token, "browser-secret", begun.state, begun.verifier):
        assert secret not in row["all"]
        assert secret.encode().hex() not in row["all"]


async def test_the_first_browser_to_press_wins(db):
    """Of two browsers at once one goes on; it may press again, and then only its newest state is good."""
    token = await new(db)
    done = await asyncio.gather(
        *(connect_sessions.begin(db, token, f"browser {n}", **BEGIN) for n in range(8)), return_exceptions=True
    )
    winners = [n for n, each in enumerate(done) if not isinstance(each, Exception)]
    assert len(winners) == 1
    assert {each.code for n, each in enumerate(done) if n not in winners} == {"other_browser"}

    winner = f"browser {winners[0]}"
    again = await connect_sessions.begin(db, token, winner, **BEGIN)
    assert await refused(connect_sessions.take_state(db, done[winners[0]].state, winner, "shop")) == "unknown"
    assert (await connect_sessions.take_state(db, again.state, winner, "shop")).connector == "shop"


async def test_a_state_is_good_once(db):
    """Of many that bring the same state at once one is let in."""
    begun = await connect_sessions.begin(db, await new(db), "browser", **BEGIN)

    done = await asyncio.gather(
        *(connect_sessions.take_state(db, begun.state, "browser", "shop") for _ in range(8)), return_exceptions=True
    )

    assert sum(not isinstance(each, Exception) for each in done) == 1
    assert await refused(connect_sessions.take_state(db, begun.state, "browser", "shop")) == "unknown"


@pytest.mark.parametrize("value", ["", "x", "\x00", "\ud800", "a" * 10_000])
async def test_a_state_that_is_none(db, value):
    """Junk is an unknown state, whatever it is made of."""
    assert await refused(connect_sessions.take_state(db, value, "browser", "shop")) == "unknown"


async def test_a_state_elsewhere_is_refused_and_stays_good(db):
    """Another browser or another provider's callback gets nothing, and spoils nothing."""
    begun = await connect_sessions.begin(db, await new(db), "browser", **BEGIN)

    assert await refused(connect_sessions.take_state(db, begun.state, "thief", "shop")) == "other_browser"
    assert await refused(connect_sessions.take_state(db, begun.state, "browser", "market")) == "other_connector"

    assert (await connect_sessions.take_state(db, begun.state, "browser", "shop")).user_id == "user-1"


async def test_time_runs_out(db):
    """Past its time neither the link nor a state that is under way is of use."""
    token = await new(db)
    begun = await connect_sessions.begin(db, token, "browser", **BEGIN)
    await expire(db)

    assert (await connect_sessions.look(db, token)).expired
    assert await refused(connect_sessions.begin(db, token, "browser", **BEGIN)) == "expired"
    assert await refused(connect_sessions.take_state(db, begun.state, "browser", "shop")) == "expired"


async def test_a_used_link_is_used(db):
    """After its one use the link begins nothing more, unless what was tried connected nothing and gave it back."""
    token = await new(db)
    session = await connect_sessions.take(db, token, "browser")
    assert await refused(connect_sessions.take(db, token, "browser")) == "used"
    assert await refused(connect_sessions.begin(db, token, "browser", **BEGIN)) == "used"

    await connect_sessions.give_back(db, session.id)
    assert await refused(connect_sessions.take(db, token, "another")) == "other_browser"
    await connect_sessions.take(db, token, "browser")
    await connect_sessions.finish(db, session.id, "connected")
    await connect_sessions.give_back(db, session.id)
    assert await refused(connect_sessions.take(db, token, "browser")) == "used"
