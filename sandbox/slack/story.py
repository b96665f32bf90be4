"""The demo's Slack workspace: a few channels with their talk, and what is said, corrected and taken back later."""

from collections.abc import Mapping
from typing import Any

from sandbox.control import control
from sandbox.slack.settings import DEMO_APP, DEMO_TEAM
from sandbox.stories import Pushed, Story

CHANNELS = ["random", "support", "launch"]


def fill(url: str) -> None:
    """Three channels with messages and threads."""
    for name in CHANNELS:
        _control(url, "create_channel", name=name)
    _control(url, "load", channels=CHANNELS, messages=30, replies=2, seed=1)


def change(url: str) -> list[str]:
    """Something is said, something is corrected, something is taken back."""
    said = _control(url, "post", channel="support", text="The invoice arrived twice, is that right?")["ts"]
    wrong = _control(url, "post", channel="launch", text="We start on Monday")["ts"]
    _control(url, "edit", channel="launch", ts=wrong, text="We start on Tuesday")
    return [f"slack   a message in #support ({said})", f"slack   one in #launch ({wrong}), corrected since"]


def push(url: str) -> Pushed:
    """Something is said."""
    ts = _control(url, "post", channel="support", text="It was, we have refunded one of them.")["ts"]
    return Pushed(f"message {ts}", "select 1 from slack.messages where ts = %s", [ts])


def courier(url: str, call: str) -> None:
    """Its deliveries wait, or go on."""
    _control(url, f"webhooks/{call}")


def fault(url: str, call: str, body: Mapping[str, Any]) -> None:
    """Something goes wrong with requests to come, or no more."""
    _control(url, call, **body)


def revoke(url: str) -> None:
    """The workspace has removed the app."""
    _control(url, "revoke")


def _control(url: str, call: str, **body: Any) -> Any:
    return control(url, "slack", call, team=DEMO_TEAM, client_id=DEMO_APP["client_id"], **body)


STORIES = (
    Story(
        connector="slack",
        title="Slack",
        fill=fill,
        change=change,
        query="select channel_id, ts, text, edited_at from slack.messages order by change_seq desc limit 2",
        push=push,
        courier=courier,
        fault=fault,
        revoke=revoke,
    ),
)
