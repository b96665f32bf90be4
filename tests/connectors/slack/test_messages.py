"""A copy of a workspace's messages stays what the workspace has."""

import random

import pytest

from tests.connectors.slack.copy import Copy
from tests.connectors.slack.workspace import DAY


@pytest.fixture
def copy(slack, client, workspace):
    return Copy(slack, client)


def fill(workspace, seed, channels=3, messages=40, days=2.5):
    chance = random.Random(seed)
    for number in range(channels):
        channel = workspace.channel(f"C{number}")
        for _ in range(messages):
            ago = chance.uniform(60, days * DAY)
            parent = workspace.post(channel, ago=ago)
            for _ in range(chance.choice([0, 0, 0, 1, 3, 20])):
                broadcast = {"subtype": "thread_broadcast"} if chance.random() < 0.1 else {}
                workspace.post(channel, "reply", ago=chance.uniform(0, ago), parent=parent, **broadcast)
    return chance


def shake(workspace, chance, times=10):
    """Random changes: new ones, replies, edits and deletions, of replies too."""
    for _ in range(times):
        workspace.now += 5
        channel = chance.choice(list(workspace.channels))
        messages = workspace.messages[channel]
        ts = chance.choice(list(messages)) if messages else workspace.post(channel)
        match chance.choice(["post", "reply", "edit", "delete"]):
            case "post":
                workspace.post(channel)
            case "reply":
                workspace.post(channel, "late", parent=messages[ts].get("thread_ts", ts))
            case "edit":
                workspace.edit(channel, ts, "edited")
            case "delete" if not workspace.told(channel, ts).get("reply_count"):
                workspace.delete(channel, ts)
            case _:
                pass


@pytest.mark.parametrize("steps", [None, 1, 2])
@pytest.mark.parametrize("distribution", ["unlisted", "internal"])
async def test_a_full_read_brings_everything(workspace, copy, monkeypatch, steps, distribution):
    """Messages, replies, broadcast ones too, in pages of any size, also when each request is a read of its own."""
    monkeypatch.setenv("SYNCLINE_SLACK_DISTRIBUTION", distribution)
    fill(workspace, 1, days=400)

    await copy.read_in_full(steps)

    assert copy.rows == workspace.truth()
    assert set(copy.cursor) == {"C0", "C1", "C2"}


@pytest.mark.parametrize("seed", range(3))
async def test_changes_within_the_look_back(workspace, copy, plenty, seed):
    """New, edited and deleted messages and replies are the same here as there after each incremental read."""
    print(f"SEED={seed}")
    chance = fill(workspace, seed)
    await copy.read_in_full()

    for _ in range(6):
        shake(workspace, chance)
        assert await copy.read_changes()
        assert copy.rows == workspace.truth()
    assert copy.coverage.backlog == 0
    assert copy.coverage.complete_from is None


@pytest.mark.parametrize("seed", range(2))
async def test_reads_that_end_early(workspace, copy, plenty, seed):
    """A feed that is left after any request goes on from its cursor, comes to the same, and deletes nothing alive."""
    print(f"SEED={seed}")
    chance = fill(workspace, seed)
    await copy.read_in_full()

    for _ in range(6):
        shake(workspace, chance)
        for _ in range(30):
            before = set(copy.rows)
            if await copy.read_changes(chance.choice([1, 2, 3, 5, 8])):
                break
            assert not (before - set(copy.rows)) & set(workspace.truth())
    assert await copy.read_changes()
    assert copy.rows == workspace.truth()


async def test_a_pass_that_takes_several_runs(workspace, copy, plenty):
    """What was deleted above the place where it was interrupted is noticed too, in the channel and in a long thread."""
    channel = workspace.channel("C1")
    parent = workspace.post(channel, ago=2 * DAY)
    replies = [workspace.post(channel, parent=parent) for _ in range(40)]
    messages = [workspace.post(channel, ago=DAY) for _ in range(60)]
    await copy.read_in_full()
    for ts in (messages[-3], messages[2], replies[3], replies[-1]):
        workspace.delete(channel, ts)

    for _ in range(5):
        assert not await copy.read_changes(1)
        assert copy.cursor[channel].get("pass")
        workspace.now += 60
    while copy.cursor[channel].get("pass"):
        await copy.read_changes(1)

    assert copy.rows == workspace.truth()


async def test_at_one_request_a_minute(workspace, copy):
    """A quiet channel costs one request, which brings its newest 15 messages as they are now; the rest is looked
    through once a day."""
    channel = workspace.channel("C1")
    old = workspace.post(channel, ago=1.5 * DAY)
    for _ in range(20):
        workspace.post(channel, ago=DAY)
    await copy.read_in_full()
    assert await copy.read_changes()
    recent, gone = workspace.post(channel), workspace.post(channel)
    assert await copy.read_changes()

    workspace.now += 3600
    workspace.edit(channel, old, "edited")
    workspace.edit(channel, recent, "edited")
    workspace.delete(channel, gone)
    reply = workspace.post(channel, "late", parent=recent)
    asked = len(copy.client.session.throttle.taken)
    assert await copy.read_changes()

    taken = [name for (name,) in copy.client.session.throttle.taken[asked:]]
    assert taken == ["conversations.list", "conversations.history", "conversations.replies"]
    assert {(channel, reply), (channel, recent)} <= set(copy.rows)
    assert copy.rows[channel, recent]["text"] == "edited"
    assert (channel, gone) not in copy.rows
    assert copy.rows[channel, old]["text"] == "hello"

    workspace.now += DAY - 3600
    assert await copy.read_changes()
    assert copy.rows == workspace.truth()


async def test_a_whole_thread_that_goes(workspace, copy, plenty):
    """Replies go with their thread: one by one, or all with its first message."""
    channel = workspace.channel("C1")
    left, gone = workspace.post(channel), workspace.post(channel)
    replies = [workspace.post(channel, parent=parent) for parent in (left, gone) for _ in range(3)]
    await copy.read_in_full()
    assert len(copy.rows) == 8

    for ts in [*replies, gone]:
        workspace.delete(channel, ts)
    assert await copy.read_changes()

    assert copy.rows == workspace.truth() != {}


async def test_the_newest_and_the_only_message_go(workspace, copy, plenty):
    """A deletion at the very top, or of everything there is, is noticed."""
    channel = workspace.channel("C1")
    only = [workspace.post(channel, ago=60) for _ in range(3)]
    await copy.read_in_full()

    workspace.delete(channel, only.pop())
    assert await copy.read_changes()
    assert set(copy.rows) == {(channel, ts) for ts in only}
    for ts in only:
        workspace.delete(channel, ts)
    assert await copy.read_changes()
    assert copy.rows == {}


async def test_an_edited_reply(workspace, copy, plenty):
    """Only its thread shows it: with plenty of requests it is seen at the next visit."""
    channel = workspace.channel("C1")
    reply = workspace.post(channel, parent=workspace.post(channel, ago=60))
    await copy.read_in_full()

    workspace.now += 60
    workspace.edit(channel, reply, "edited")
    assert await copy.read_changes()

    assert copy.rows == workspace.truth()


@pytest.mark.parametrize("distribution", ["unlisted", "internal"])
async def test_a_channel_joined_later(workspace, copy, distribution, monkeypatch, plenty):
    """It is read down to its beginning, page by page between the visits of the others, and the feed says how far."""
    monkeypatch.setenv("SYNCLINE_SLACK_DISTRIBUTION", distribution)
    known, later = workspace.channel("C1"), workspace.channel("C2", is_member=False)
    workspace.post(known)
    for number in range(100):
        workspace.post(later, ago=5 * DAY - number)
    await copy.read_in_full()
    assert set(copy.cursor) == {known}

    workspace.channels[later]["is_member"] = True
    if distribution == "unlisted":
        assert not await copy.read_changes(3)
        assert copy.coverage.backlog == 1
        assert copy.coverage.complete_from.timestamp() == float(min(ts for c, ts in copy.rows if c == later))
    workspace.post(later)
    assert await copy.read_changes()
    assert await copy.read_changes()

    assert copy.rows == workspace.truth()
    assert (copy.coverage.backlog, copy.coverage.complete_from) == (0, None)


async def test_the_stalest_channel_comes_first(workspace, copy):
    """Of channels that time does not suffice for, those visited longest ago come first next time."""
    for number in range(4):
        workspace.post(workspace.channel(f"C{number}"))
    await copy.read_in_full()
    visited = []

    for _ in range(4):
        workspace.now += 60
        for channel in workspace.channels:
            workspace.post(channel)
        before = set(copy.rows)
        await copy.read_changes(1)
        visited += [{channel for channel, _ in set(copy.rows) - before}]
        assert copy.coverage.backlog == 3

    assert sorted(channel for each in visited for channel in each) == ["C0", "C1", "C2", "C3"]


async def test_a_long_gap_is_closed_before_the_place_moves(workspace, copy):
    """Messages of weeks are read newest first; what was reached is kept, and nothing in the gap is left out."""
    channel = workspace.channel("C1")
    workspace.post(channel, ago=30 * DAY)
    await copy.read_in_full()
    for number in range(60):
        workspace.post(channel, ago=20 * DAY - number * 3600)
    newest = copy.cursor[channel]["newest"]

    assert not await copy.read_changes(1)
    assert copy.cursor[channel]["newest"] == newest
    assert copy.coverage.complete_from.timestamp() == float(sorted(ts for _, ts in copy.rows)[1])
    workspace.post(channel)
    for _ in range(5):
        assert not await copy.read_changes(1)
    assert copy.cursor[channel]["newest"] > newest
    assert await copy.read_changes()

    assert copy.rows == workspace.truth()
    assert copy.coverage.complete_from is None
