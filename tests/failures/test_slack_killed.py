"""A sync of Slack that is killed between any two requests loses nothing."""

import pytest

from tests.fixtures.syncing import held

POINTS = (1, 3, 5, 4, 2)
SMALL = {"SYNCLINE_SLACK_DISTRIBUTION": "unlisted"}


@pytest.mark.parametrize("full", [True, False])
async def test_killed_while_an_answer_is_awaited(slack, slack_sync, copies, full):
    """At five points one after the other, with changes between; the next whole syncs have everything."""
    slack.load(4, 30, replies=4, seed=1, spread=86_400)
    if not full:
        await slack_sync(**SMALL)
    kills = 0
    for seed, point in enumerate(POINTS):
        slack.shake(seed=seed, times=5)
        slack.fault("hold", after=point, times=1, seconds=30)
        under_way = await slack_sync.start(full=full and seed == 0, **SMALL)
        await held(slack, under_way)
        under_way.kill()
        kills += await under_way.result() is None
        slack.lift()
    assert kills > 1  # a run that has little left to read may end before the point

    if full:
        await slack_sync(**SMALL)  # what is left of it
    await slack_sync(**SMALL)

    copies.hold(slack_sync.connection_id)
