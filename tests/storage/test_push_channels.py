import pytest

from storage import disconnect, pausing, push_channels
from storage.errors import Fenced

ADDRESS = "https://app.example.com/webhooks/stripe"
DAY = 86_400.0


@pytest.fixture
def change(db):
    """`await change(sql, values)`: what time or a crash would have done."""

    async def change(query, *values):
        async with db.connection() as conn:
            await conn.execute(query, values)

    return change


@pytest.fixture
def make(db, connection, change):
    """`await make(subject)`: a channel that the provider pushes by for so many more seconds; its id and secret."""

    async def make(subject="", *, lives=7 * DAY, address=ADDRESS):
        channel_id, token = await push_channels.begin(db, connection.id, subject, address)
        await change(
            """
            UPDATE syncline.push_channel SET expires_at = now() + make_interval(secs => %s), resource_id = 'r'
             WHERE id = %s
            """,
            lives,
            channel_id,
        )
        return channel_id, token

    return make


@pytest.fixture
def outlook(db, connection):
    """`await outlook("a", "b")`: what is to be done so that these subjects are watched for two more days."""

    async def outlook(*subjects, address=ADDRESS):
        found = await push_channels.outlook(db, connection.id, subjects, address=address, renew_seconds=2 * DAY)
        replaced = {subject: [one.id for one in ones] for subject, ones in found.replaced.items()}
        return found.needed, [one.id for one in found.over], replaced

    return outlook


async def test_a_channel_is_known_before_the_provider_has_answered(db, connection):
    """A delivery may come first: it is told whose it is, and its secret is checked; another connector's is not."""
    channel_id, token = await push_channels.begin(db, connection.id, "calendar", ADDRESS)

    known = await push_channels.claimed(db, "stripe", channel_id)

    assert (known.connection_id, known.subject) == (connection.id, "calendar")
    assert known.is_token(token)
    assert not any(known.is_token(other) for other in ("", token[:-1], token + "a", "\udcff", "é" * 43))
    assert await push_channels.claimed(db, "slack", channel_id) is None
    assert await push_channels.claimed(db, "stripe", "another") is None


async def test_secrets_are_long_and_not_kept(db, connection):
    """Each channel has a random secret of at least 256 bits, of which the row holds a hash alone."""
    begun = [await push_channels.begin(db, connection.id, "", ADDRESS) for _ in range(20)]
    async with db.connection() as conn:
        text = str(await (await conn.execute("SELECT p::text FROM syncline.push_channel p")).fetchall())

    assert len({token for _, token in begun}) == 20
    assert all(len(token) >= 43 for _, token in begun)
    assert not any(token in text or token.encode().hex() in text for _, token in begun)


@pytest.mark.parametrize(
    ("state", "taken"), [("active", True), ("failed", True), ("refused", False), ("stopped", False)]
)
async def test_which_channels_are_taken(db, make, change, state, taken):
    """One whose answer was lost may live at the provider, and is taken; a refused or stopped one is not."""
    channel_id, _ = await make()
    await change("UPDATE syncline.push_channel SET state = %s", state)

    assert (await push_channels.claimed(db, "stripe", channel_id) is not None) == taken


async def test_channels_of_a_paused_and_of_a_disconnected_connection(db, connection, make):
    """What is pushed while it is paused is taken; once it is disconnected nothing is."""
    channel_id, _ = await make()
    await pausing.set_paused(db, connection.id, paused=True)
    assert await push_channels.claimed(db, "stripe", channel_id) is not None

    await disconnect.disconnect(db, connection.id)
    assert await push_channels.claimed(db, "stripe", channel_id) is None


async def test_nothing_begins_for_a_connection_that_has_left(db, connection):
    """Whoever disconnects knows of every channel: none is begun afterwards."""
    await disconnect.disconnect(db, connection.id)
    with pytest.raises(Fenced):
        await push_channels.begin(db, connection.id, "", ADDRESS)
    await disconnect.purge(db, connection.id, [])
    with pytest.raises(Fenced):
        await push_channels.begin(db, connection.id, "", ADDRESS)


@pytest.mark.parametrize("purged", [False, True])
async def test_an_answer_that_comes_after_the_disconnect(db, connection, purged):
    """Who gets it is told to stop the channel, and the row does not come to life again."""
    channel_id, _ = await push_channels.begin(db, connection.id, "", ADDRESS)
    await push_channels.stopped(db, [channel_id])
    if purged:
        await disconnect.purge(db, connection.id, [])

    assert not await push_channels.made(db, channel_id, expires_at=connection.created_at, resource_id="r")
    await push_channels.not_made(db, channel_id, "failed", "Too late.")
    assert await push_channels.of_connection(db, connection.id) == []


async def test_what_has_no_channel_is_needed(make, outlook):
    """Each subject has one channel that lives for longer than it takes to renew it; nothing else is done."""
    await make("a")
    assert await outlook("a", "b") == (["b"], [], {"b": []})


async def test_one_that_ends_soon_is_replaced(make, outlook):
    """It is named, so that it is stopped once another has taken its place, and with the other one there it is over."""
    old, _ = await make("a", lives=1.9 * DAY)
    assert await outlook("a") == (["a"], [], {"a": [old]})

    await make("a")
    assert await outlook("a") == ([], [old], {})


async def test_one_of_a_subject_that_is_gone_is_over(make, outlook):
    """Whatever state it is in."""
    kept, _ = await make("a")
    gone, _ = await make("b")
    assert kept != gone
    assert await outlook("a") == ([], [gone], {})


async def test_one_that_leads_elsewhere_is_replaced(make, outlook):
    """After the public address has changed, deliveries would go where nobody is."""
    old, _ = await make("a")
    needed, over, replaced = await outlook("a", address="https://new.example.com/webhooks/stripe")
    assert (needed, over, replaced) == (["a"], [], {"a": [old]})


async def test_one_of_an_earlier_sign_in_is_replaced(make, outlook, connect):
    """What the user has revoked may have ended the channel, and nobody told us."""
    old, _ = await make("a")
    await connect()
    assert await outlook("a") == (["a"], [], {"a": [old]})


async def test_killed_between_asking_and_noting(db, connection, outlook):
    """A channel without an answer is replaced by the next run, and does not count as one."""
    channel_id, _ = await push_channels.begin(db, connection.id, "a", ADDRESS)
    assert await outlook("a") == (["a"], [], {"a": [channel_id]})


async def test_what_was_refused_is_asked_for_once_a_day(db, connection, outlook, change):
    """Not again within a day; what failed is asked for by every run, after all others."""
    refused, _ = await push_channels.begin(db, connection.id, "refused", ADDRESS)
    await push_channels.not_made(db, refused, "refused", "No.")
    failed, _ = await push_channels.begin(db, connection.id, "failed", ADDRESS)
    await push_channels.not_made(db, failed, "failed", "Not now.")
    assert await outlook("failed", "refused", "new") == (["new", "failed"], [], {"new": [], "failed": [failed]})

    await change("UPDATE syncline.push_channel SET tried_at = now() - interval '25 hours'")
    needed, over, replaced = await outlook("refused")
    assert (needed, over, replaced) == (["refused"], [failed], {"refused": [refused]})


async def test_what_will_not_be_pushed_again_is_pushed_to_its_end(db, connection, make, outlook):
    """A channel that still lives is not stopped because a new one was refused."""
    await make("a", lives=DAY)
    refused, _ = await push_channels.begin(db, connection.id, "a", ADDRESS)
    await push_channels.not_made(db, refused, "refused", "No.")
    assert await outlook("a") == ([], [], {})


async def expiring(db, seconds=2 * DAY, states=("active",)):
    return await push_channels.expiring(db, "stripe", seconds=seconds, states=states)


async def test_which_connections_are_due(db, connection, make):
    """Those of which a channel ends within the time, or has ended, without a newer one; of the state asked for."""
    await make("a")
    assert await expiring(db) == {}

    await make("b", lives=DAY)
    assert await expiring(db) == {connection.id: "active"}
    assert await expiring(db, seconds=DAY / 2) == {}
    assert await expiring(db, states=["paused"]) == {}

    await make("b")
    assert await expiring(db) == {}
    await make("c", lives=-1)
    assert await expiring(db) == {connection.id: "active"}


@pytest.mark.parametrize(("state", "due"), [("failed", True), ("refused", False)])
async def test_a_renewal_that_was_not_made(db, connection, make, state, due):
    """One that failed leaves its connection due; what the provider has come to refuse is polled, and no fault."""
    await make("a", lives=DAY)
    channel_id, _ = await push_channels.begin(db, connection.id, "a", ADDRESS)
    await push_channels.not_made(db, channel_id, state, "No.")

    assert bool(await expiring(db)) == due


async def test_what_is_shown(db, connection, make):
    """Of each subject how it stands now: what still pushes does, though a new one failed; what has ended does not."""
    for subject, lives, newer in [("a", DAY, None), ("b", DAY, "failed"), ("c", -1, "failed"), ("d", -1, "refused")]:
        await make(subject, lives=lives)
        if newer:
            channel_id, _ = await push_channels.begin(db, connection.id, subject, ADDRESS)
            await push_channels.not_made(db, channel_id, newer, "No.")
    await make("e", lives=-1)
    stopped, _ = await make("f")
    await push_channels.stopped(db, [stopped])
    await push_channels.begin(db, connection.id, "just asked for", ADDRESS)

    shown = (await push_channels.shown(db, [connection.id]))[connection.id]

    assert [(one["subject"], one["state"], one["expires_at"] is not None, one["error"]) for one in shown] == [
        ("a", "active", True, None),
        ("b", "active", True, "No."),
        ("c", "failed", False, "No."),
        ("d", "refused", False, "No."),
        ("e", "failed", False, None),
    ]
