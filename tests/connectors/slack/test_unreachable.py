"""What cannot be read keeps its rows, moves nothing, and says so."""

import pytest

from connectors.errors import Broken, Reconnect, Refused
from tests.connectors.slack.copy import Copy


@pytest.fixture
def copy(slack, client, workspace):
    return Copy(slack, client)


async def test_a_channel_that_the_app_left(workspace, copy, plenty):
    """Its messages and its place stay as they are, a sentence names it, and once it is back the gap is closed."""
    left, other = workspace.channel("C1"), workspace.channel("C2")
    for channel in (left, other):
        workspace.post(channel, ago=3600)
    await copy.read_in_full()
    before, place = dict(copy.rows), copy.cursor[left]

    workspace.channels[left]["is_member"] = False
    workspace.post(left), workspace.post(other)
    assert await copy.read_changes()

    assert copy.cursor[left] == place
    assert before.items() <= copy.rows.items()
    assert "#c1" in copy.coverage.unreadable[left]
    assert (copy.coverage.backlog, copy.coverage.complete_from) == (0, None)
    await copy.read_in_full()
    assert before.items() <= copy.rows.items()
    workspace.channels[left]["is_member"] = True
    assert await copy.read_changes()
    assert copy.rows == workspace.truth()
    assert copy.coverage.unreadable == {}


@pytest.mark.parametrize("word", ["not_in_channel", "channel_not_found", "no_permission", "team_access_not_granted"])
async def test_a_channel_that_refuses(workspace, copy, word):
    """Though the list shows the app in it: nothing is covered, no place is made or moved, the others go on."""
    closed, open_ = workspace.channel("C1"), workspace.channel("C2")
    workspace.post(closed), workspace.post(open_)
    workspace.refuse["conversations.history", closed] = word

    await copy.read_in_full()
    assert await copy.read_changes()

    assert set(copy.cursor) == {open_}
    assert {channel for channel, _ in copy.rows} == {open_}
    assert list(copy.unreadable) == list(copy.coverage.unreadable) == [closed]
    del workspace.refuse["conversations.history", closed]
    assert await copy.read_changes()
    assert copy.rows == workspace.truth()


async def test_a_channel_that_closes_half_way(workspace, copy):
    """The part ends without covering the channel; what was read stays."""
    channel = workspace.channel("C1")
    for _ in range(40):
        workspace.post(channel)
    pages = copy.stream.pages(copy.client, {"channel": channel, "private": False})
    await anext(pages)

    workspace.channels[channel]["is_member"] = False
    page = await anext(pages)

    assert (page.cursor, list(page.covered), page.learned) == (None, [], None)
    assert "not in this Slack channel" in page.unreadable[channel]


async def test_replies_that_are_refused(workspace, copy, plenty):
    """The channel's own messages are read, nothing is covered, and coverage says what is missing."""
    channel = workspace.channel("C1")
    parent = workspace.post(channel)
    workspace.post(channel, parent=parent)
    workspace.refuse["conversations.replies", channel] = "not_allowed_token_type"

    await copy.read_in_full()
    workspace.post(channel)
    assert await copy.read_changes()

    assert len(copy.rows) == 2
    assert "replies" in copy.unreadable[channel]
    assert "replies" in copy.coverage.unreadable[channel]


async def test_a_scope_that_is_missing_for_all(slack, client, workspace, copy):
    """One missing scope closes the streams that need it, each with the sentence; the others are read."""
    workspace.post(workspace.channel("C1"))
    await copy.read_in_full()
    workspace.refuse["conversations.history", None] = "missing_scope"

    found = [c async for c in slack.changes(client, {"channels": {}, "users": {}, "messages": copy.cursor})]

    assert [change.stream for change in found if change.unavailable] == ["messages"]
    assert {change.stream for change in found if change.page.records} == {"channels", "users"}
    with pytest.raises(Refused, match="permission"):
        await copy.read_in_full()
    workspace.refuse["conversations.list", None] = "missing_scope"
    found = [c async for c in slack.changes(client, {"channels": {}, "users": {}, "messages": copy.cursor})]
    assert [change.stream for change in found if change.unavailable] == ["channels", "messages"]


async def test_private_channels_need_their_own_scope(workspace, slack, session, provider):
    """What was not granted is not asked for: Slack would refuse the whole list."""
    workspace.channel("C1"), workspace.channel("C2", is_private=True)
    kinds = {}
    for extra in ((), ("groups:read",), ("groups:read", "groups:history")):
        scopes = frozenset({"channels:read", "channels:history", *extra})
        async with slack.open(type(session)(**{**fields(session), "scopes": scopes})) as client:
            starts = await slack.stream("messages").starts(client)
        kinds[extra] = (provider.asked[-1].query["types"], [start["channel"] for start in starts])

    assert list(kinds.values()) == [
        ("public_channel", ["C1"]),
        ("public_channel,private_channel", ["C1"]),
        ("public_channel,private_channel", ["C1", "C2"]),
    ]


def fields(session):
    return {name: getattr(session, name) for name in session.__dataclass_fields__}


@pytest.mark.parametrize("word", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_access_that_is_gone_ends_everything(workspace, copy, word):
    """Only the user can help."""
    workspace.post(workspace.channel("C1"))
    workspace.refuse["conversations.history", None] = word

    with pytest.raises(Reconnect, match="reconnect"):
        await copy.read_in_full()


async def test_cursors_that_no_longer_hold(workspace, copy, slack, client):
    """A channel goes on by time, a thread and a list begin again; nothing is lost and nothing comes for ever."""
    channel = workspace.channel("C1")
    parent = workspace.post(channel)
    for _ in range(40):
        workspace.post(channel), workspace.post(channel, parent=parent)
    for number in range(300):
        workspace.users.append({"id": f"U{number:04d}"})

    workspace.drop_cursors = 2
    await copy.read_in_full()
    assert copy.rows == workspace.truth()
    workspace.drop_cursors = 1
    users = [record async for page in slack.stream("users").pages(client, {}) for record in page.records]
    assert len(set(users)) == 301
    workspace.drop_cursors = 100
    for stream, start in (("users", {}), ("messages", {"channel": channel})):
        with pytest.raises(Broken, match="no end"):
            [page async for page in slack.stream(stream).pages(client, start)]
