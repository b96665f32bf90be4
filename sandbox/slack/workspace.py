"""One workspace: its people, its conversations, and what happened to them."""

import random
import time
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.ledger import Ledger, Write
from sandbox.slack import people
from sandbox.slack.channels import Channel
from sandbox.slack.limits import Limits
from sandbox.slack.stamps import MICRO

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Fields = dict[str, Any]
Listener = Callable[[str, str, str, Fields | None], None]


class Workspace:
    """A team. Everything that changes in it is said to `changed`."""

    def __init__(self, team: str, name: str, ledger: Ledger, *, seed: object = None) -> None:
        self.id = team
        self.name = name
        self.domain = name.lower().replace(" ", "-")
        self.ledger = ledger
        self.random = random.Random(f"{seed if seed is not None else team}")
        self.clock = Clock()
        self.limits = Limits()
        self.faults = Faults()
        self.latency = 0.0
        self.says_joins = True
        """Whether a `channel_join` message tells of everyone who joins, as in Slack."""
        self.repeats_parent = True
        """Whether a thread's parent stands on every page of replies; who has seen Slack do it does not agree."""
        self.users: dict[str, Fields] = {}
        self.channels: dict[str, Channel] = {}
        self.listeners: list[Listener] = []
        slackbot = {"is_bot": False, "is_email_confirmed": False, "email": None, "real_name": "Slackbot"}
        self.users[people.SLACKBOT] = people.person(team, people.SLACKBOT, "slackbot", 0, **slackbot)
        self.owner = str(self.add_user("owner", is_admin=True, is_owner=True, is_primary_owner=True)["id"])

    def changed(self, change: str, stream: str, key: str, *, by: str, was: Fields | None = None) -> None:
        """The one place that everything passes that changes in this workspace, whoever does it.

        What is delivered to apps as events starts here; `was` is a message before it changed.
        """
        self.ledger.writes.append(Write(time.time(), "slack", self.id, "live", by, change, stream, key))
        for listener in self.listeners:
            listener(change, stream, key, was)

    def new_id(self, prefix: str) -> str:
        """An identifier as Slack makes them."""
        return prefix + "0" + "".join(self.random.choices(_LETTERS, k=9))

    def now(self) -> int:
        """Now, in whole seconds, by this workspace's clock."""
        return int(self.clock.now())

    def moment(self, channel: Channel) -> int:
        """A timestamp for a message that is posted now; no two in a channel are the same."""
        return channel.free(int(self.clock.now() * MICRO))

    def add_user(self, name: str, *, by: str = "control", **fields: Any) -> Fields:
        """A new member."""
        key = fields.pop("id", None) or self.new_id("U")
        self.users[key] = people.person(self.id, key, name, self.now(), **fields)
        self.changed("created", "users", key, by=by)
        return self.users[key]

    def update_user(self, key: str, *, by: str = "control", **fields: Any) -> Fields:
        """A member with these fields; those of `profile` are merged into it."""
        user = self.users[key]
        profile = user["profile"] | fields.pop("profile", {})
        self.users[key] = user | fields | {"profile": profile, "updated": self.now()}
        self.changed("updated", "users", key, by=by)
        return self.users[key]

    def new_channel(
        self, name: str, *, members: Iterable[str] = (), by: str = "control", private: bool = False, **fields: Any
    ) -> Channel:
        """A new channel, whose creator is in it too."""
        if any(found.name == name and not found.deleted for found in self.channels.values()):
            raise ValueError(f"name_taken: {name}")
        key = fields.pop("id", None) or self.new_id("C")
        creator = fields.pop("creator", self.owner)
        channel = Channel(key, name, self.now(), creator, private=private, **fields)
        channel.touch(self.clock.now())
        channel.members |= dict.fromkeys([creator, *members])
        self.channels[key] = channel
        self.changed("created", "channels", key, by=by)
        return channel

    def change_channel(self, channel: Channel, *, by: str = "control", **fields: Any) -> None:
        """The channel with these attributes; one that is renamed keeps its names."""
        if fields.get("name", channel.name) != channel.name:
            channel.previous_names = [channel.name, *channel.previous_names]
        for name, value in fields.items():
            if not hasattr(channel, name):
                raise KeyError(name)
            setattr(channel, name, value)
        channel.touch(self.clock.now())
        self.changed("deleted" if fields.get("deleted") else "updated", "channels", channel.id, by=by)

    def bots(self) -> list[str]:
        """The users of apps that are installed."""
        return [key for key, user in self.users.items() if user["is_bot"] and not user["deleted"]]

    def person(self) -> str:
        """Some member who is no bot and not deactivated."""
        humans = [key for key, user in self.users.items() if _human(user)]
        return self.random.choice(humans)

    def truth(self, stream: str, viewer: str | None, *, metadata: bool = False) -> Iterable[tuple[str, bytes]]:
        """Every record that an app with all scopes and this bot may meet, by its key, as the API gives it."""
        if stream == "users":
            for user in self.users.values():
                yield user["id"], orjson.dumps(people.shown(user, email=True))
            return
        for channel in self.visible(viewer):
            if stream == "channels":
                yield channel.id, orjson.dumps(channel.seen(self.id, viewer))
            elif stream == "messages" and viewer in channel.members:
                for at in sorted(channel.messages):
                    message = channel.messages[at]
                    key = f"{channel.id} {at // MICRO:010d}.{at % MICRO:06d}"
                    yield key, message.full if metadata else message.shown

    def visible(self, viewer: str | None) -> list[Channel]:
        """The channels that *viewer* may know of, in the order in which they were made."""
        return [c for c in self.channels.values() if not c.deleted and (not c.private or viewer in c.members)]


def _human(user: Fields) -> bool:
    return not user["is_bot"] and not user["deleted"] and user["id"] != people.SLACKBOT
