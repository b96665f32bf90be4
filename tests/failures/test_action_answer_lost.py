"""The answer to an action is lost, in each of the ways in which answers are lost, at each provider."""

import os
from uuid import uuid4

import pytest

from connectors.errors import Unsent
from connectors.retry import Patience, set_patience
from tests.fixtures.sizes import size

ROUNDS = int(os.environ.get("ACTION_LOST_ROUNDS", size(1, 2)))
WAYS = {
    "reset after send": ("reset_before", {}),
    "silence": ("hang", {}),
    "500 after doing it": ("status", {"status": 500, "perform": True}),
    "500 without doing it": ("status", {"status": 500}),
    "half an answer": ("cut_length", {}),
}


@pytest.fixture(autouse=True)
def little_patience():
    """So short that silence need not last a minute; what it leads to is the same."""
    set_patience(Patience(attempt=1.5, budget=0.5, first_wait=0.02, longest_wait=0.1))
    yield
    set_patience()


@pytest.mark.parametrize("way", WAYS)
async def test_never_a_second_write(stage, act, way):
    """Lost once, and then asked for again with the same key: done at most once, and never called done if it was not."""
    kind, options = WAYS[way]
    ends = {}
    for _ in range(ROUNDS):
        body, key = stage.body(), uuid4().hex
        stage.fault(kind, **options)
        first = await told(act, body, key)
        stage.lift()
        second = await told(act, body, key)

        for status in (first, second):
            agrees(stage, body, status)
        assert second != "unsent"
        # Stripe gives a saved 500 again for the same key, for as long as it keeps the key: nothing more can be known.
        saved = stage.connector == "stripe" and way == "500 after doing it"
        assert not stage.proves or second == "succeeded" or saved
        ends[f"{first}, then {second}"] = ends.get(f"{first}, then {second}", 0) + 1
    print(f"\nLOST={ROUNDS} connector={stage.connector} way={way!r} ends={ends}")


@pytest.mark.parametrize("way", ["reset after send", "silence", "500 after doing it", "500 without doing it"])
async def test_lost_again_and_again(stage, act, way):
    """While every answer is lost nothing is claimed, and nothing is done twice."""
    kind, options = WAYS[way]
    body, key = stage.body(), uuid4().hex
    stage.fault(kind, times=None, **options)

    said = [await told(act, body, key) for _ in range(3)]
    stage.lift()

    for status in said:
        agrees(stage, body, status)
    assert stage.done(body) <= 1
    assert await told(act, body, key) in {"succeeded", "unknown", "failed"}
    assert stage.done(body) <= 1


@pytest.mark.parametrize("stage", ["slack"], indirect=True)
async def test_a_channel_by_its_name(stage, act):
    """A message that was posted to a channel's name is found as well, although names cannot be read by."""
    stage.fault("reset", times=1)

    said = await act(stage.body() | {"channel": "#actions"}, uuid4().hex)

    assert (said.status, said.result["channel"]) == ("succeeded", stage.channel)


async def told(act, body, key):
    """How it stands; `unsent` when it certainly was not done."""
    try:
        return (await act(body, key)).status
    except Unsent:
        return "unsent"


def agrees(stage, body, status):
    """What is claimed is true."""
    done = stage.done(body)
    assert done <= 1
    assert status != "succeeded" or done == 1
