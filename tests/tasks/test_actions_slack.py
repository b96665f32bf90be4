"""Posting in Slack: what is posted, what is refused, and finding what was posted."""

import pytest
from pydantic import ValidationError

pytestmark = pytest.mark.parametrize("stage", ["slack"], indirect=True)


async def test_posted(stage, act):
    """The message stands in the channel, with its blocks, and the result says where."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Grüße*"}}]

    said = await act(stage.body() | {"text": "Grüße & <more>", "blocks": blocks, "attachments": [{"text": "beside"}]})

    message = stage.workspace.truth("messages")[said.result["channel"], said.result["ts"]]
    assert said.status == "succeeded"
    assert message["text"] == "Grüße & <more>"
    assert message["blocks"][0]["text"] == blocks[0]["text"]
    assert message["attachments"][0]["text"] == "beside"


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("channel_not_found", "no such channel"),
        ("not_in_channel", "Invite it"),
        ("is_archived", "archived"),
        ("restricted_action", "administrator"),
        ("something_new", "makes no sense"),
    ],
)
async def test_refused_in_words(stage, act, word, words):
    """What Slack refuses has failed, with a reason in our words, and is not asked for again."""
    stage.fault("error", error=word)
    body = stage.body()

    said = await act(body, "k")
    again = await act(body, "k")

    assert said.status == "failed"
    assert words in said.error
    assert word not in said.error
    assert again == said
    assert len(stage.workspace.requests("chat.postMessage")) == 1


async def test_a_channel_that_the_app_is_not_in(stage, act):
    """The true refusal of the provider reads the same."""
    stage.workspace.create_channel("elsewhere", member=False)
    channel = next(k for k, one in stage.workspace.truth("channels").items() if one["name"] == "elsewhere")

    said = await act(stage.body() | {"channel": channel})

    assert said.status == "failed"
    assert "Invite it" in said.error


async def test_found_below_newer_messages(stage, act):
    """A message whose answer was lost is found though others have been posted since."""
    body = stage.body()
    stage.fault("reset_before")
    stage.workspace.fault("error", "conversations.history", error="internal_error", times=None)
    first = await act(body, "k")
    for number in range(40):
        stage.workspace.post(stage.channel, f"later {number}")
    stage.lift()

    second = await act(body, "k")

    assert (first.status, second.status) == ("unknown", "succeeded")
    assert stage.workspace.truth("messages")[second.result["channel"], second.result["ts"]]["text"] == body["text"]
    assert stage.done(body) == 1


async def test_what_was_deleted_stays_unknown(stage, act):
    """Not found proves nothing: the message is not posted again."""
    body = stage.body()
    stage.fault("reset_before")
    stage.workspace.fault("error", "conversations.history", error="internal_error", times=None)
    await act(body, "k")
    stage.lift()
    [key] = [key for key, one in stage.workspace.truth("messages").items() if one["text"] == body["text"]]
    stage.workspace.delete(*key)

    assert (await act(body, "k")).status == "unknown"
    assert stage.done(body) == 0


@pytest.mark.parametrize(
    "change",
    [{"text": ""}, {"text": "x" * 40_001}, {"text": "\0"}, {"channel": "C 1"}, {"blocks": "[]"}, {"thread_ts": "1.2"}],
)
async def test_what_cannot_be_meant(stage, act, change):
    """Malformed and unknown fields are refused before anything is sent."""
    with pytest.raises(ValidationError):
        await act(stage.body() | change)

    assert stage.workspace.requests("chat.postMessage") == []
