"""A conversation and its messages, each kept as the bytes that the API gives."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.slack.stamps import MICRO, stamp

Fields = dict[str, Any]


@dataclass(slots=True)
class Message:
    """One message; the bytes with and without what an app attached to it."""

    at: int
    """Its timestamp in microseconds."""
    shown: bytes
    full: bytes
    parent: int | None = None
    """The message it replies to."""
    broadcast: bool = False
    """A reply that the channel's own list shows too."""

    def load(self) -> Fields:
        fields: Fields = orjson.loads(self.full)
        return fields


@dataclass(slots=True)
class Channel:
    """A public or private channel."""

    id: str
    name: str
    created: int
    creator: str
    private: bool = False
    general: bool = False
    archived: bool = False
    deleted: bool = False
    topic: str = ""
    purpose: str = ""
    previous_names: list[str] = field(default_factory=list)
    updated: int = 0
    members: dict[str, None] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    top: list[int] = field(default_factory=list)
    """What the channel's own list shows, oldest first."""
    threads: dict[int, list[int]] = field(default_factory=dict)
    """Each parent's replies, oldest first."""

    def put(self, fields: Fields, *, parent: int | None = None, broadcast: bool = False) -> Message:
        """The message as it is now, in its place in the lists."""
        at = _at(fields)
        shown = full = orjson.dumps(fields)
        if "metadata" in fields:
            shown = orjson.dumps({name: value for name, value in fields.items() if name != "metadata"})
        known = at in self.messages
        message = self.messages[at] = Message(at, shown, full, parent, broadcast)
        if known:
            return message
        if parent is not None:
            insort(self.threads.setdefault(parent, []), at)
        if parent is None or broadcast:
            insort(self.top, at)
        return message

    def drop(self, message: Message) -> None:
        """The message is in no list any more."""
        del self.messages[message.at]
        if message.parent is None or message.broadcast:
            del self.top[bisect_left(self.top, message.at)]
        if message.parent is not None:
            replies = self.threads[message.parent]
            del replies[bisect_left(replies, message.at)]
            if not replies:
                del self.threads[message.parent]

    def free(self, at: int) -> int:
        """The first moment from *at* on at which nothing was said here."""
        while at in self.messages:
            at += 1
        return at

    def seen(self, team: str, viewer: str | None) -> Fields:
        """The channel as `conversations.list` shows it to *viewer*."""
        by = {"creator": self.creator, "last_set": self.created}
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": not self.private or self.id.startswith("C"),
            "is_group": self.private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.private,
            "created": self.created,
            "is_archived": self.archived,
            "is_general": self.general,
            "unlinked": 0,
            "name_normalized": self.name,
            "is_shared": False,
            "is_org_shared": False,
            "is_pending_ext_shared": False,
            "pending_shared": [],
            "context_team_id": team,
            "updated": self.updated,
            "creator": self.creator,
            "is_ext_shared": False,
            "shared_team_ids": [team],
            "pending_connected_team_ids": [],
            "is_member": viewer in self.members,
            "topic": {"value": self.topic, **(by if self.topic else {"creator": "", "last_set": 0})},
            "purpose": {"value": self.purpose, **(by if self.purpose else {"creator": "", "last_set": 0})},
            "properties": {"tabs": []},
            "previous_names": self.previous_names,
            "num_members": len(self.members),
        }

    def touch(self, now: float) -> None:
        """Something about the channel itself changed."""
        self.updated = int(now * 1000)


def _at(fields: Fields) -> int:
    seconds, _, rest = fields["ts"].partition(".")
    return int(seconds) * MICRO + int(rest)


def thread_fields(channel: Channel, parent: int) -> Fields:
    """What a parent says of its thread; nothing if it has no replies."""
    replies = channel.threads.get(parent)
    if not replies:
        return {}
    users = list(dict.fromkeys(channel.messages[at].load().get("user", "") for at in replies))
    return {
        "thread_ts": stamp(parent),
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "latest_reply": stamp(replies[-1]),
        "reply_users": users[:5],
        "is_locked": False,
        "subscribed": False,
    }
