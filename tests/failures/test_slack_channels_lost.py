"""Channels that the app left, that were archived, closed or deleted: only what is deleted becomes a tombstone."""

import pytest

STATE = "SELECT cursor, coverage FROM syncline.sync_state WHERE stream = 'messages'"


@pytest.fixture
def channels(slack):
    """Five channels with something in each, by what is going to happen to them."""
    made = {}
    for name in ("left", "archived", "private", "deleted", "stays"):
        made[name] = slack.create_channel(name, private=name == "private")["id"]
        parent = slack.post(name)["ts"]
        slack.reply(name, parent)
    return made


def of(rows, channel):
    return {key: row for key, row in rows.items() if key[0] == channel}


@pytest.mark.parametrize("full", [False, True])
async def test_what_is_lost_is_kept(slack, slack_sync, copies, rows, channels, full):
    """Left, archived and closed channels keep their messages; those of a deleted one are tombstones like itself."""
    await slack_sync()
    before = copies.alive(slack_sync.connection_id, "messages")
    slack.leave("left")
    slack.leave("private")
    slack.archive("archived")
    slack.delete_channel("deleted")
    slack.post("stays", "news")

    await slack_sync(full=full)

    after = copies.alive(slack_sync.connection_id, "messages")
    for name, channel in channels.items():
        assert set(of(after, channel)) >= (set() if name == "deleted" else set(of(before, channel))), name
    assert of(after, channels["deleted"]) == {}
    listed = copies.stored(slack_sync.connection_id, "channels")
    retired = {name for name, channel in channels.items() if listed[channel]["deleted_at"]}
    assert retired == {"deleted"}
    assert listed[channels["archived"]]["raw"]["is_archived"] is True
    if not full:
        [state] = rows(STATE)
        assert set(state["coverage"]["unreadable"]) == {channels["left"], channels["private"]}


async def test_a_channel_that_was_left_and_joined_again(slack, slack_sync, copies, channels):
    """What was said and deleted meanwhile is made up for."""
    await slack_sync()
    gone = slack.post("left", "soon gone")["ts"]
    await slack_sync()
    slack.leave("left")
    await slack_sync()
    slack.delete(channels["left"], gone)
    slack.post("left", "missed")

    slack.join("left")
    await slack_sync()

    copies.hold(slack_sync.connection_id)


async def test_a_channel_that_closes_during_a_full_read(slack, slack_sync, copies, rows, channels):
    """It is covered by nothing: no row is lost, its place is not moved; the others are read whole."""
    slack.load(["stays"], 30, seed=3, spread=86_400)
    await slack_sync()
    before = copies.alive(slack_sync.connection_id, "messages")
    [state] = rows(STATE)
    place = state["cursor"][channels["left"]]
    slack.fault("error", "conversations.history", error="not_in_channel", query=channels["left"], times=None)

    await slack_sync(full=True)

    copies.keep(slack_sync.connection_id, before)
    [state] = rows(STATE)
    assert state["cursor"][channels["left"]] == place
    assert channels["left"] in state["coverage"]["unreadable"]
    slack.lift()
    await slack_sync()
    copies.hold(slack_sync.connection_id)


async def test_many_channels_deleted_at_once(slack, slack_sync, copies, rows):
    """The deletion guard holds for channels and what is in them, until a person confirms."""
    made = slack.load(130, 0)
    await slack_sync()
    for channel in made:
        slack.delete_channel(channel)

    result = await slack_sync("needs_confirmation")

    assert result["streams"]["channels"]["deleted"] == 0
    await slack_sync(confirm_deletes=True)
    copies.hold(slack_sync.connection_id)
