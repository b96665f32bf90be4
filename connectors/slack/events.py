"""What Slack's events say of channels, people and messages.

Messages come with their content, since reading one again costs a request of a bucket that may have one a minute;
channels and people are read by id. https://docs.slack.dev/reference/events
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.base import Key
from connectors.slack.outlines import is_ts
from connectors.webhooks import Meaning, Told

Raws = Mapping[str, msgspec.Raw]

_ENVELOPE_ONLY = frozenset({"channel", "channel_type", "event_ts"})
"""Members of a message's event that the same message in a channel's history does not have."""
_CHANNELS = frozenset({"channel", "group"})
"""Kinds of conversation whose messages are copied; direct messages are not."""
_NO_OBJECT = "The event cannot be read."
_NO_MESSAGE = "The event names no message of a channel."

_raws = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _Body(msgspec.Struct):
    event: msgspec.Raw
    authorizations: Any = None


_body = msgspec.json.Decoder(_Body).decode


def meaning_of(body: bytes) -> Meaning:
    """What follows from an `event_callback`."""
    try:
        found = _body(body)
        event = _raws(found.event)
        kind = str(_plain(event, "type"))
        if kind == "message":
            return _message(event)
        if kind.startswith("member_") and _is_somebody_else(event, found.authorizations):
            return Meaning()
        return Meaning(touched=_touched(kind, event), access=_ends_access(kind, event))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Meaning(malformed=_NO_OBJECT)


def _message(event: Raws) -> Meaning:
    if _plain(event, "channel_type") not in {*_CHANNELS, None}:
        return Meaning()
    channel, at = _plain(event, "channel"), _plain(event, "event_ts")
    if not isinstance(channel, str) or not channel or not is_ts(at):
        return Meaning(malformed=_NO_MESSAGE)
    match _plain(event, "subtype"):
        case "message_deleted":
            return _deleted(event, channel, float(at))
        case "message_changed" | "message_replied":
            message = _raws(event["message"]) if "message" in event else {}
            made = False
        case _:
            message = {name: value for name, value in event.items() if name not in _ENVELOPE_ONLY}
            made = True
    if not is_ts(_plain(message, "ts")):
        return Meaning(malformed=_NO_MESSAGE)
    return Meaning(told=[Told("messages", _record(message, channel), float(at), made=made)])


def _deleted(event: Raws, channel: str, at: float) -> Meaning:
    """The message is `deleted_ts`; `ts` and `event_ts` are the event's own."""
    ts = _plain(event, "deleted_ts")
    if not is_ts(ts):
        return Meaning(malformed=_NO_MESSAGE)
    previous = _raws(event["previous_message"]) if "previous_message" in event else {}
    own = {"type": msgspec.Raw(b'"message"'), "ts": msgspec.Raw(msgspec.json.encode(ts))}
    return Meaning(told=[Told("messages", _record({**own, **previous, "ts": own["ts"]}, channel), at, gone=True)])


def _record(message: Raws, channel: str) -> bytes:
    """The message as a channel's history has it, with the channel that it is in."""
    return msgspec.json.encode({**message, "channel_id": msgspec.Raw(msgspec.json.encode(channel))})


def _touched(kind: str, event: Raws) -> list[tuple[str, Key]]:
    if kind.startswith(("channel_", "group_", "member_")):
        names = ("channel", "old_channel_id", "new_channel_id")
        return [("channels", (id_,)) for name in names if (id_ := _id(event, name))]
    if kind.startswith(("user_", "team_join")):
        return [("users", (id_,))] if (id_ := _id(event, "user")) else []
    return []


def _is_somebody_else(event: Raws, authorizations: Any) -> bool:
    """Whether it was not the app itself that came or went: of others the channel's record says nothing."""
    given = authorizations if isinstance(authorizations, list) else []
    ours = {one.get("user_id") for one in given if isinstance(one, dict)}
    return bool(ours) and _id(event, "user") not in ours


def _ends_access(kind: str, event: Raws) -> bool:
    if kind == "app_uninstalled":
        return True
    if kind != "tokens_revoked":
        return False
    tokens = _plain(event, "tokens")
    return not isinstance(tokens, dict) or bool(tokens.get("bot")) or "bot" not in tokens


def _id(event: Raws, name: str) -> str | None:
    """An id that stands there, or in the object that stands there."""
    found = _plain(event, name)
    found = found.get("id") if isinstance(found, dict) else found
    return found if isinstance(found, str) and found else None


def _plain(event: Raws, name: str) -> Any:
    return msgspec.json.decode(event[name]) if name in event else None
