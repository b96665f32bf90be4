"""Rate limits: for each method, workspace and app, over any minute."""

import httpx
import pytest


@pytest.fixture
def bot(slack):
    """The published limits are in force."""
    slack.install()
    return slack.call


def refused(slack, method, **arguments):
    headers = {"Authorization": f"Bearer {slack.token}"}
    answer = httpx.get(f"{slack.url}/api/{method}", params=arguments, headers=headers, trust_env=False, verify=False)
    return answer if answer.status_code == 429 else None


def test_one_too_many_is_told_when_to_come_back(slack, bot):
    """Status 429, Slack's own word, and whole seconds; refused ones count for nothing."""
    taken = [bot("users.list")["ok"] for _ in range(20)]

    answer = refused(slack, "users.list")

    assert all(taken)
    assert answer.json() == {"ok": False, "error": "ratelimited"}
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert slack.requests("users.list")[-1]["status"] == 429


def test_methods_are_counted_apart(slack, bot):
    """Spending one leaves the others alone."""
    slack.settings(own={"users.list": 1})
    bot("users.list")

    assert refused(slack, "users.list")
    assert not refused(slack, "conversations.list")


def test_workspaces_are_counted_apart(slack, another_slack, bot):
    """The same app elsewhere has what is due to it there."""
    another_slack.install()
    for workspace in (slack, another_slack):
        workspace.settings(own={"users.list": 1})
    bot("users.list")

    assert refused(slack, "users.list")
    assert not refused(another_slack, "users.list")


def test_posting_is_counted_for_each_channel(slack, bot):
    """One channel that is full keeps no other from being written."""
    one, other = (slack.create_channel(name)["id"] for name in ("one", "other"))
    slack.settings(own={"chat.postMessage": 1})
    assert bot("chat.postMessage", channel=one, text="x")["ok"]

    assert refused(slack, "chat.postMessage", channel=one, text="x")
    assert bot("chat.postMessage", channel=other, text="x")["ok"]


def test_a_minute_passes(slack, bot):
    """A short one, for tests."""
    slack.settings(own={"users.list": 1}, minute=0.3)
    bot("users.list")

    answer = refused(slack, "users.list")
    while refused(slack, "users.list"):
        pass

    assert answer.headers["retry-after"] == "1"


def test_apps_outside_the_marketplace_read_little(slack, bot):
    """One request a minute for history and one for replies, with fifteen objects at most."""
    slack.setup(distribution="unlisted")
    channel = slack.create_channel("general")["id"]
    slack.load(["general"], 30)

    page = bot("conversations.history", channel=channel, limit="200")

    assert len(page["messages"]) == 15
    assert page["has_more"] is True
    assert refused(slack, "conversations.history", channel=channel)
    assert bot("conversations.replies", channel=channel, ts=page["messages"][0]["ts"])["ok"]
    assert refused(slack, "conversations.replies", channel=channel, ts=page["messages"][0]["ts"])
    assert bot("conversations.info", channel=channel)["ok"]


@pytest.mark.parametrize("distribution", ["internal", "marketplace"])
def test_other_apps_read_a_thousand_at_once(slack, bot, distribution):
    """999, to be exact; more is cut down, as Slack does."""
    slack.setup(distribution=distribution)
    channel = slack.create_channel("general")["id"]
    slack.load(["general"], 1100)

    assert len(bot("conversations.history", channel=channel)["messages"]) == 100
    assert len(bot("conversations.history", channel=channel, limit="5000")["messages"]) == 999


def test_limits_can_be_switched_off(slack, bot):
    """With them goes the short page of unlisted apps."""
    slack.setup(distribution="unlisted")
    slack.unlimited()
    channel = slack.create_channel("general")["id"]
    slack.load(["general"], 30)

    pages = [bot("conversations.history", channel=channel, limit="30") for _ in range(5)]

    assert [len(page["messages"]) for page in pages] == [30] * 5
