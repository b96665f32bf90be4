"""Slack's lists while they change, lose their place, or never end."""

import pytest

from tests.fixtures.sizes import size

SEEDS = range(size(1, 4))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
async def test_changes_between_every_two_pages(slack, slack_sync, copies, seed, full):
    """Whatever is posted, edited or deleted while a list is read, the next sync has it all, and nothing is invented."""
    print(f"SEED={seed}")
    slack.load(3, 60, replies=2, seed=seed, spread=86_400)
    sync = {"SYNCLINE_SLACK_DISTRIBUTION": "unlisted"}  # pages of fifteen
    if not full:
        await slack_sync(**sync)
    slack.fault("shift", times=None, seed=seed)

    await slack_sync(full=full, **sync)

    slack.lift()
    slack.settings(skew=600)  # an edited reply is found when its thread is due again, seconds after it was read here
    await slack_sync(**sync)
    copies.hold(slack_sync.connection_id)


@pytest.mark.parametrize(
    "method", ["conversations.list", "users.list", "conversations.history", "conversations.replies"]
)
async def test_a_cursor_that_no_longer_holds(slack, slack_sync, copies, method):
    """What it belonged to is read on by time, or from its beginning; the rest goes on."""
    slack.load(
        250 if method == "conversations.list" else 2,
        40 if "conversations" in method else 1,
        seed=1,
        replies=30,
        spread=86_400,
    )
    slack.load(1, 1, users=250)
    slack.fault("error", method, error="invalid_cursor", query="cursor", times=2)

    await slack_sync(SYNCLINE_SLACK_DISTRIBUTION="unlisted")

    copies.hold(slack_sync.connection_id)
    assert not slack.faults()


@pytest.mark.parametrize(
    "method", ["conversations.list", "users.list", "conversations.history", "conversations.replies"]
)
async def test_a_list_without_end(slack, slack_sync, copies, method):
    """The read stops with a sentence and retires nothing; the other streams are done."""
    slack.load(2, 20, seed=1, replies=20, spread=86_400)
    await slack_sync()
    before = {stream: copies.alive(slack_sync.connection_id, stream) for stream in ("channels", "users", "messages")}
    slack.forget()
    slack.fault("loop", method, times=None)

    result = await slack_sync(None, full=True)

    assert "no end" in result["error"]
    assert len(slack.requests(method)) <= 12
    for stream, rows in before.items():
        copies.keep(slack_sync.connection_id, rows, stream)
    slack.lift()
    await slack_sync()
    copies.hold(slack_sync.connection_id)


async def test_the_same_page_once_more(slack, slack_sync, copies):
    """A page that comes again is passed over."""
    slack.load(2, 50, seed=1, replies=20, spread=86_400)
    for method in ("conversations.history", "conversations.replies"):
        slack.fault("repeat_page", method, after=1, times=1)

    await slack_sync(SYNCLINE_SLACK_DISTRIBUTION="unlisted")

    copies.hold(slack_sync.connection_id)
