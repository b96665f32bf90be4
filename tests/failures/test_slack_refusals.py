"""`{"ok": false}` in an answer that looks good: each of Slack's words has its reaction."""

import pytest

from tests.failures.test_access_lost import STATE

CONNECTION = "SELECT state FROM syncline.connection"


@pytest.fixture
async def filled(slack, slack_sync, copies):
    """A small workspace, synced."""
    slack.load(2, 20, replies=2, seed=1, spread=86_400)
    await slack_sync()
    return copies.alive(slack_sync.connection_id, "messages")


@pytest.mark.parametrize("word", ["ratelimited", "internal_error"])
async def test_what_time_mends_is_asked_again(slack, slack_sync, copies, word):
    """Of every method; nothing is lost and nobody has to do anything."""
    slack.load(2, 20, replies=2, seed=1, spread=86_400)
    for method in ("conversations.list", "users.list", "conversations.history", "conversations.replies"):
        slack.fault("error", method, error=word, after=0, times=1)

    await slack_sync()

    copies.hold(slack_sync.connection_id)
    assert not slack.faults()


async def test_a_pause_that_is_longer_than_the_run(slack, slack_sync, copies, filled):
    """The run ends as continued, with what was read; the others of the connection's streams are up to date."""
    user = slack.add_user("late")["id"]
    slack.fault("status", "conversations.history", status=429, retry_after=3600, times=None)

    result = await slack_sync("continued")

    assert user in copies.alive(slack_sync.connection_id, "users")
    assert result["error"] is None
    copies.keep(slack_sync.connection_id, filled)
    slack.lift()


async def test_trouble_that_lasts(slack, slack_sync, copies, filled):
    """The run fails with a sentence, keeps everything, and the next one is whole again."""
    slack.shake(seed=1, times=5, only=["post", "edit"])
    slack.fault("error", "conversations.history", error="fatal_error", times=None)

    result = await slack_sync("failed")

    assert "Slack" in result["error"]
    assert set(filled) <= set(copies.alive(slack_sync.connection_id, "messages"))
    slack.lift()
    await slack_sync()
    copies.hold(slack_sync.connection_id)


@pytest.mark.parametrize("word", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_access_that_is_gone(slack, slack_sync, copies, rows, filled, word):
    """The connection needs its user, and all rows stay."""
    slack.revoke(word)

    result = await slack_sync("failed")

    assert "reconnect" in result["error"]
    assert [row["state"] for row in rows(CONNECTION)] == ["needs_reconnect"]
    copies.keep(slack_sync.connection_id, filled)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("method", "closed"),
    [
        ("users.list", {"users"}),
        ("conversations.history", {"messages"}),
        ("conversations.list", {"channels", "messages"}),
    ],
)
async def test_a_scope_that_was_lost(slack, slack_sync, copies, rows, filled, method, closed, full):
    """The streams that need it become unavailable and keep their rows, the others go on; it heals by itself."""
    slack.shake(seed=2, times=5, only=["post", "user", "delete"])
    slack.fault("error", method, error="missing_scope", times=None)

    await slack_sync(None, full=full)

    states = {row["stream"]: row for row in rows(STATE)}
    assert {stream for stream, row in states.items() if not row["available"]} == closed
    assert all("permission" in states[stream]["unavailable_reason"] for stream in closed)
    if "messages" in closed:
        copies.keep(slack_sync.connection_id, filled)
    copies.hold(slack_sync.connection_id, *({"channels", "users"} - closed))
    slack.lift()
    await slack_sync()
    assert all(row["available"] for row in rows(STATE))
    copies.hold(slack_sync.connection_id)
