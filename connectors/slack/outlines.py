"""What we need to know of a record, looked up in its bytes; the record itself is never taken apart.

A record that a parser refuses is looked at by `spans`: an odd record is no reason to lose its page.
"""

import re
from typing import Any, TypeVar

import msgspec

from connectors import spans

_TS = re.compile(r"\d{10}\.\d{6}")
"""Slack's timestamps, which are also a message's key: all of one length until 2286, so as text in order of time."""

BEFORE_ALL = "0000000000.000000"
"""Older than any message."""


class ChannelOutline(msgspec.Struct):
    """The fields of a channel that decide whether, and how, its messages are read."""

    id: Any = None
    name: Any = None
    is_member: Any = None
    is_archived: Any = None
    is_private: Any = None

    @property
    def called(self) -> str:
        """The channel as people know it, fit for a sentence."""
        name = self.name if isinstance(self.name, str) and self.name.isprintable() else ""
        return f"#{name[:80]}" if name else str(self.id)


class MessageOutline(msgspec.Struct):
    """The fields of a message that say where it stands, and what hangs on it."""

    ts: Any = None
    thread_ts: Any = None
    subtype: Any = None
    reply_count: Any = None
    latest_reply: Any = None

    @property
    def at(self) -> str | None:
        """Its timestamp, if that is one."""
        return self.ts if is_ts(self.ts) else None

    @property
    def replies(self) -> int:
        """How many replies it has; none for a message that is a reply itself."""
        count = self.reply_count
        if not isinstance(count, int) or isinstance(count, bool) or self.is_reply:
            return 0
        return max(count, 0)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def latest(self) -> str:
        """The timestamp of the newest reply, as far as it is told."""
        return self.latest_reply if is_ts(self.latest_reply) else ""


class _Id(msgspec.Struct):
    id: Any = None


Outline = TypeVar("Outline", ChannelOutline, MessageOutline, _Id)

_channel = msgspec.json.Decoder(ChannelOutline)
_message = msgspec.json.Decoder(MessageOutline)
_id = msgspec.json.Decoder(_Id)


def is_ts(value: object) -> bool:
    return isinstance(value, str) and _TS.fullmatch(value) is not None


def channel_outline(record: bytes) -> ChannelOutline:
    """The outline of one channel; of a record that is no object, an empty one."""
    return _outline(record, _channel, ChannelOutline)


def message_outline(record: bytes) -> MessageOutline:
    """The outline of one message; of a record that is no object, an empty one."""
    return _outline(record, _message, MessageOutline)


def id_of(record: bytes) -> str | None:
    """The record's `id`, if it is a text."""
    found = _outline(record, _id, _Id).id
    return found if isinstance(found, str) and found else None


def _outline(record: bytes, decoder: "msgspec.json.Decoder[Outline]", kind: type[Outline]) -> Outline:
    try:
        return decoder.decode(record)
    except msgspec.ValidationError:
        return kind()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        told = spans.scalars(record)
        return kind(*(told.get(name) for name in kind.__struct_fields__))
