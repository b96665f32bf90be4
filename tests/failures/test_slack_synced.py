"""A workspace is copied into Postgres, and stays what it is there."""

import json

import pytest

from tests.fixtures.slack_syncing import HIGH_LIMITS

LOOKED = "SELECT coverage, cursor FROM syncline.sync_state WHERE stream = 'messages'"


async def test_in_full_and_then_what_changed(slack, slack_sync, copies, rows):
    """Channels, people, messages and replies; then edits, deletions and late replies; an idle sync writes nothing."""
    slack.load(3, 40, replies=3, seed=1, spread=86_400)
    slack.create_channel("secret", private=True)
    slack.post("secret")

    full = await slack_sync()
    copies.hold(slack_sync.connection_id)
    assert full["streams"]["messages"]["written"] == len(copies.truth("messages"))

    for seed in range(4):
        slack.shake(seed=seed, times=10)
        await slack_sync()
        copies.hold(slack_sync.connection_id)
    idle = await slack_sync()
    assert all(not counts["written"] and not counts["deleted"] for counts in idle["streams"].values())
    [state] = rows(LOOKED)
    assert (state["coverage"]["backlog"], state["coverage"]["complete_from"]) == (0, None)

    again = await slack_sync(full=True)
    copies.hold(slack_sync.connection_id)
    assert all(not counts["written"] and not counts["deleted"] for counts in again["streams"].values())


async def test_the_columns_that_people_look_for(slack, slack_sync, rows):
    """Who said what, when to the microsecond, in which thread, and when it was edited."""
    user = slack.add_user("ada", profile={"display_name": "Ada"})["id"]
    channel = slack.create_channel("talk", topic="what is up")["id"]
    first = slack.post("talk", "hello", user=user)["ts"]
    reply = slack.reply("talk", first, "well")["ts"]
    edited = slack.edit("talk", reply, "well, well")["edited"]["ts"]
    slack.archive("talk")

    await slack_sync()

    told = "SELECT text, user_id, thread_ts, extract(epoch FROM {})::text AS at FROM slack.messages WHERE ts = %s"
    assert rows(told.format("sent_at"), [first]) == [
        {"text": "hello", "user_id": user, "thread_ts": first, "at": first}
    ]
    [row] = rows(told.format("edited_at"), [reply])
    assert (row["text"], row["thread_ts"], row["at"]) == ("well, well", first, edited)
    [row] = rows("SELECT name, topic, is_archived, is_private FROM slack.channels WHERE id = %s", [channel])
    assert row == {"name": "talk", "topic": "what is up", "is_archived": True, "is_private": False}
    [row] = rows("SELECT name, display_name, deleted, is_bot FROM slack.users WHERE id = %s", [user])
    assert row == {"name": "ada", "display_name": "Ada", "deleted": False, "is_bot": False}


@pytest.mark.timeout(600)
async def test_with_little_to_ask_for(slack, slack_sync, copies, rows):
    """An app that may ask seldom needs several runs; each keeps what it read, and together they read everything."""
    slack.load(3, 20, replies=2, seed=1, spread=86_400)
    little = {"units": 4, "per_seconds": 1}
    limits = json.loads(HIGH_LIMITS) | {"conversations.history": little, "conversations.replies": little}
    slow = {"SYNCLINE_SLACK_DISTRIBUTION": "unlisted", "SYNCLINE_SLACK_RATE_LIMITS": json.dumps(limits)}
    found = [0]

    for _ in range(60):
        result = await slack_sync(None, **slow, SYNCLINE_RUN_BUDGET_SECONDS="2")
        assert result["outcome"] in ("done", "continued"), result
        found.append(len(copies.alive(slack_sync.connection_id, "messages")))
        if result["outcome"] == "done":
            break

    copies.hold(slack_sync.connection_id)
    assert len(found) > 2
    assert found == sorted(found)
    methods = [row["route"] for row in slack.requests() if "conversations.h" in row["route"]]
    assert len(methods) <= 12  # no page was read twice
    slack.shake(seed=3, times=10, only=["post", "reply", "delete"])
    slack.settings(skew=1800)  # so that every thread is due again
    for _ in range(60):
        result = await slack_sync(None, **slow, SYNCLINE_RUN_BUDGET_SECONDS="5")
        [state] = rows(LOOKED)
        assert state["coverage"]["backlog"] <= 3
        if result["outcome"] == "done":
            break
    assert state["coverage"]["backlog"] == 0
    copies.hold(slack_sync.connection_id)
