"""Slack's Events API: what happens in a workspace goes to the request URL of every app that is installed in it.

https://docs.slack.dev/apis/events-api
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any

import orjson

from sandbox.courier import Courier
from sandbox.slack.apps import App, Installation, Registry
from sandbox.slack.channels import Channel
from sandbox.slack.stamps import MICRO, micros, stamp
from sandbox.slack.workspace import Workspace

Fields = dict[str, Any]


class Events:
    """Tells the apps of one workspace what happens in it."""

    def __init__(self, workspace: Workspace, registry: Registry, courier: Courier) -> None:
        self.workspace = workspace
        self.registry = registry
        self.courier = courier
        self._channels: dict[str, tuple[str, bool, frozenset[str]]] = {}
        self._last = 0
        workspace.listeners.append(self.told)

    def told(self, change: str, stream: str, key: str, was: Fields | None) -> None:
        """Something changed; whoever may know of it is told."""
        for found in list(self.registry.installations.values()):
            if found.workspace is not self.workspace or not found.app.request_url:
                continue
            if stream == "installations" and key == found.app.id and change == "deleted":
                self.send(found, {"type": "app_uninstalled"})
            elif found.active or stream == "tokens":
                for event in self._events(found, change, stream, key, was):
                    self.send(found, event)
        if stream == "channels" and key in self.workspace.channels:
            self._channels[key] = _state(self.workspace.channels[key])

    def _events(self, found: Installation, change: str, stream: str, key: str, was: Fields | None) -> list[Fields]:
        if stream == "messages":
            channel = self.workspace.channels[key.partition(" ")[0]]
            return [self._message(channel, change, key, was)] if found.bot_user in channel.members else []
        if stream == "users" and key != found.bot_user:
            kind = "team_join" if change == "created" else "user_change"
            return [{"type": kind, "user": self.workspace.users[key]}]
        if stream == "tokens" and key == found.bot_user:
            return [{"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [key]}}]
        if stream == "channels":
            return self._channel(found, self.workspace.channels[key], change)
        return []

    def _message(self, channel: Channel, change: str, key: str, was: Fields | None) -> Fields:
        at = micros(key.partition(" ")[2]) or 0
        kept = channel.messages.get(at)
        about = {"channel": channel.id, "channel_type": "group" if channel.private else "channel"}
        if change == "created" and kept:
            return kept.load() | about | {"event_ts": stamp(at)}
        head = {"type": "message", "hidden": True, "ts": self._stamp(), **about}
        if kept:
            return head | {"subtype": "message_changed", "message": kept.load(), "previous_message": was or {}}
        return head | {"subtype": "message_deleted", "deleted_ts": stamp(at), "previous_message": was or {}}

    def _channel(self, found: Installation, channel: Channel, change: str) -> list[Fields]:
        if channel.private and found.bot_user not in channel.members and channel.id not in self._channels:
            return []
        kind = "group" if channel.private else "channel"
        if change == "created":
            told = {"id": channel.id, "name": channel.name, "created": channel.created, "creator": channel.creator}
            return [{"type": "channel_created", "channel": told}] if not channel.private else []
        if change == "deleted":
            return [{"type": f"{kind}_deleted", "channel": channel.id}]
        name, archived, members = self._channels.get(channel.id, (channel.name, False, frozenset[str]()))
        events: list[Fields] = []
        if channel.name != name:
            told = {"id": channel.id, "name": channel.name, "created": channel.created}
            events.append({"type": f"{kind}_rename", "channel": told})
        if channel.archived != archived:
            word = "archive" if channel.archived else "unarchive"
            events.append({"type": f"{kind}_{word}", "channel": channel.id, "user": channel.creator})
        now = frozenset(channel.members)
        moved = {"member_joined_channel": now - members, "member_left_channel": members - now}
        return events + [
            {"type": kind, "channel": channel.id, "user": user} for kind, users in moved.items() for user in users
        ]

    def send(self, found: Installation, event: Fields) -> None:
        """The event in its envelope, on its way to the app."""
        app, team = found.app, self.workspace.id
        event = event if "event_ts" in event else event | {"event_ts": event.get("ts") or self._stamp()}
        event_id = "Ev0" + secrets.token_hex(5).upper()
        ours = {"enterprise_id": None, "team_id": team, "user_id": found.bot_user, "is_bot": True}
        body: Fields = {
            "token": "deprecated",
            "team_id": team,
            "context_team_id": team,
            "context_enterprise_id": None,
            "api_app_id": app.id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": self.workspace.now(),
            "authorizations": [ours | {"is_enterprise_install": False}],
            "is_ext_shared_channel": False,
            "event_context": f"4-{event_id}",
        }
        post(self.courier, app, team, event_id, body)

    def _stamp(self) -> str:
        """Now, and never the same moment twice."""
        self._last = max(self._last + 1, int(self.workspace.clock.now() * MICRO))
        return stamp(self._last)


def post(courier: Courier, app: App, team: str, event_id: str, body: Mapping[str, Any]) -> None:
    """Signed with the app's secret, and sent to its request URL."""
    sent = orjson.dumps(body)

    def sign(attempt: int) -> dict[str, str]:
        at = int(time.time())
        signature = hmac.new(app.signing_secret.encode(), b"v0:%d:%b" % (at, sent), hashlib.sha256).hexdigest()
        again = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_error"} if attempt else {}
        return {
            "Content-Type": "application/json",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": str(at),
            "X-Slack-Signature": f"v0={signature}",
            **again,
        }

    courier.send(team, event_id, app.request_url or "", sent, sign=sign)


def limited(courier: Courier, app: App, workspace: Workspace) -> None:
    """The workspace had too many events in this minute, and some were left out."""
    minute = workspace.now() // 60 * 60
    body = {"token": "deprecated", "type": "app_rate_limited", "team_id": workspace.id}
    post(courier, app, workspace.id, "", body | {"minute_rate_limited": minute, "api_app_id": app.id})


def _state(channel: Channel) -> tuple[str, bool, frozenset[str]]:
    return channel.name, channel.archived, frozenset(channel.members)
