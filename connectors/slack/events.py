"""What Slack's events say of channels, people and messages.

Messages come with their content, since reading one again costs a request of a bucket that may have one a minute;
channels and people are read by id. https://docs.slack.dev/reference/events
"""

import json

from connectors.base import Key
from connectors.records import with_members
from connectors.slack.members import Members, cut, elements, inner, plain
from connectors.slack.outlines import is_ts
from connectors.webhooks import Meaning, Told

_ENVELOPE_ONLY = frozenset({"channel", "channel_type", "event_ts"})
"""Members of a message's event that the same message in a channel's history does not have."""
_CHANNELS = frozenset({"channel", "group"})
"""Kinds of conversation whose messages are copied; direct messages are not."""
_AS_IT_IS_NOW = frozenset({"message_changed", "message_replied"})
_NO_OBJECT = "The event cannot be read."
_NO_MESSAGE = "The event names no message of a channel."


def meaning_of(body: bytes) -> Meaning:
    """What follows from an `event_callback`."""
    found = cut(body)
    event = inner(found, "event")
    if not event:
        return Meaning(malformed=_NO_OBJECT)
    kind = str(plain(event, "type"))
    if kind == "message":
        return _message(event)
    if kind in {"channel_deleted", "group_deleted"}:
        return _channel_deleted(event)
    if kind.startswith("member_") and _is_somebody_else(event, found):
        return Meaning()
    return Meaning(touched=_touched(kind, event), access=_ends_access(kind, event))


def _message(event: Members) -> Meaning:
    if not _is_copied(event):
        return Meaning()
    channel, at = plain(event, "channel"), plain(event, "event_ts")
    if not isinstance(channel, str) or not channel or not is_ts(at):
        return Meaning(malformed=_NO_MESSAGE)
    subtype = plain(event, "subtype")
    if subtype == "message_deleted":
        return _deleted(event, channel, float(at))
    # Slack's page on message_replied: over the Events API it comes without its subtype.
    made = subtype not in _AS_IT_IS_NOW and not (subtype is None and inner(event, "message"))
    record = _posted(event) if made else event.get("message", b"")
    if not is_ts(plain(cut(record), "ts")):
        return Meaning(malformed=_NO_MESSAGE)
    return Meaning(told=[Told("messages", with_members(record, {"channel_id": channel}), float(at), made=made)])


def _is_copied(event: Members) -> bool:
    kind, channel = plain(event, "channel_type"), plain(event, "channel")
    return kind in _CHANNELS or (kind is None and not str(channel).startswith("D"))


def _posted(event: Members) -> bytes:
    """The message as a channel's history has it."""
    own = (json.dumps(name).encode() + b":" + value for name, value in event.items() if name not in _ENVELOPE_ONLY)
    return b"{" + b",".join(own) + b"}"


def _deleted(event: Members, channel: str, at: float) -> Meaning:
    """The message is `deleted_ts`; `ts` and `event_ts` are the event's own."""
    previous = event.get("previous_message", b"")
    was = cut(previous)
    ts = plain(event, "deleted_ts") or plain(was, "ts")
    if not is_ts(ts):
        return Meaning(malformed=_NO_MESSAGE)
    record = with_members(previous if was else b'{"type":"message"}', {"ts": ts, "channel_id": channel})
    return Meaning(told=[Told("messages", record, at, gone=True)])


def _channel_deleted(event: Members) -> Meaning:
    """Asked for by its id, a private channel that is deleted looks like one that we were removed from."""
    channel, at = _id(event, "channel"), plain(event, "event_ts")
    if channel and is_ts(at):
        return Meaning(told=[Told("channels", json.dumps({"id": channel}).encode(), float(at), gone=True)])
    return Meaning(touched=_touched("channel_deleted", event))


def _touched(kind: str, event: Members) -> list[tuple[str, Key]]:
    if kind.startswith(("channel_", "group_", "member_")):
        names = ("channel", "old_channel_id", "new_channel_id")
        return [("channels", (id_,)) for name in names if (id_ := _id(event, name))]
    if kind.startswith(("user_", "team_join")):
        return [("users", (id_,))] if (id_ := _id(event, "user")) else []
    return []


def _is_somebody_else(event: Members, body: Members) -> bool:
    """Whether it was not the app itself that came or went: of others the channel's record says nothing."""
    ours = {plain(cut(one), "user_id") for one in elements(body, "authorizations")} - {None}
    return bool(ours) and _id(event, "user") not in ours


def _ends_access(kind: str, event: Members) -> bool:
    if kind == "app_uninstalled":
        return True
    if kind != "tokens_revoked":
        return False
    tokens = inner(event, "tokens")
    return "bot" not in tokens or bool(elements(tokens, "bot"))


def _id(event: Members, name: str) -> str | None:
    """An id that stands there, or in the object that stands there."""
    found = plain(event, name) or plain(inner(event, name), "id")
    return found if isinstance(found, str) and found else None
