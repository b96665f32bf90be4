"""What the sandbox answers has the names that Slack's own samples have."""

import json
import re
from pathlib import Path

import pytest

from tests.fixtures.slack import SlackWorkspace

SAMPLES = Path(__file__).parents[2] / "data/slack"


def sample(name):
    return json.loads((SAMPLES / f"{name}.json").read_text())


def strange(value, example, at=""):
    """Where *value* has a name that the example lacks, or another type of value."""
    if isinstance(value, dict) and isinstance(example, dict):
        found = [f"{at}.{name}" for name in value if name not in example]
        return found + [
            p for name in value if name in example for p in strange(value[name], example[name], f"{at}.{name}")
        ]
    if isinstance(value, list) and isinstance(example, list):
        return [p for row in value for p in (strange(row, example[0], f"{at}[]") if example else [])]
    same = value is None or isinstance(value, type(example))
    return [] if same else [f"{at}: {value!r} for {example!r}"]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("auth.test", {}),
        ("conversations.info", {"channel": "GENERAL"}),
        ("conversations.list", {}),
        ("conversations.members", {"channel": "GENERAL"}),
        ("team.info", {}),
        ("users.info", {"user": "OWNER"}),
        ("users.list", {"limit": "100"}),
        ("auth.revoke", {}),
    ],
)
def test_answers(web, slack, general, method, arguments):
    """No method's answer has a name that Slack's own sample of it does not have."""
    named = {"GENERAL": general, "OWNER": slack.owner}
    answer = slack.call(method, **{name: named.get(value, value) for name, value in arguments.items()})

    assert answer["ok"] is True
    assert [path for path in strange(answer, sample(f"api.{method}")) if path != ".revoked"] == []


def test_tokens(slack):
    """`oauth.v2.access` tells what Slack's sample tells."""
    assert strange(slack.install(), sample("api.oauth.v2.access")) == []


def test_messages(web, slack, general):
    """A person's, a bot's, an edited one, a reply: what Slack's events carry as well."""
    example = sample("event.MessageChanged")["event"]["message"]
    parent = slack.post("general")["ts"]
    slack.reply("general", parent)
    slack.edit("general", parent, "changed")
    web.chat_postMessage(channel=general, text="by the bot", thread_ts=parent)
    web.chat_postMessage(channel=general, text="by the bot")

    shown = slack.truth("messages").values()

    counts = {"reply_count", "reply_users_count", "latest_reply", "reply_users", "is_locked", "subscribed"}
    names = {name for message in shown for name in message}
    assert names - set(example) - counts - {"app_id", "user"} <= {"thread_ts", "parent_user_id"}
    assert {message["type"] for message in shown} == {"message"}


def test_timestamps(web, slack, general):
    """Fixed width, and no two messages of a channel share one even when the clock stands."""
    slack.settings(fixed=1_700_000_000.5)

    sent = [slack.post("general")["ts"] for _ in range(20)]

    assert len(set(sent)) == 20
    assert sent == sorted(sent)
    assert {len(ts) for ts in sent} == {17}
    assert sent[0] == "1700000000.500000"


@pytest.fixture
def twins(sandbox):
    """Two workspaces with the same seed."""
    made = [SlackWorkspace(sandbox, seed=7) for _ in range(2)]
    yield made
    for workspace in made:
        workspace.close()


def nameless(truth, workspace):
    """Without the names that no two workspaces or apps share, and the time of their making."""
    own = re.compile(f'{workspace.team}|{workspace.app["id"]}|"updated":(?!17000)[0-9]+'.encode())
    return {key: own.sub(b"", body) for key, body in truth.items()}


def test_everything_is_the_same_for_the_same_seed(twins):
    """A whole workspace can be made again."""
    for workspace in twins:
        workspace.settings(fixed=1_700_000_000)
        workspace.load(3, 20, replies=3, users=4)
        workspace.shake(1, 40)

    for stream in ("channels", "messages", "users"):
        one, other = (workspace.truth_raw(stream) for workspace in twins)
        assert nameless(one, twins[0]) == nameless(other, twins[1])
