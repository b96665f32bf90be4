"""`conversations.history` and `conversations.replies`: pages of messages.

https://docs.slack.dev/reference/methods/conversations.history
https://docs.slack.dev/reference/methods/conversations.replies
"""

from bisect import bisect_left, bisect_right

import orjson

from sandbox.slack import stamps
from sandbox.slack.arguments import Arguments
from sandbox.slack.calls import Call
from sandbox.slack.channels import Channel
from sandbox.slack.cursors import pack, unpack
from sandbox.slack.errors import Failed
from sandbox.slack.limits import STRICT_OBJECTS

HISTORY, REPLIES = (100, 999), (1000, 1000)  # default and most


def history(call: Call) -> bytes:
    """The newest of the channel's own messages first."""
    channel, said = call.readable(), call.said
    limit = _limit(call, HISTORY)
    low, high = _between(channel.top, said)
    if (before := _place(said)) is not None:
        high = min(high, bisect_left(channel.top, before))
    start = max(low, high - limit)
    shown = [_body(channel, at, said) for at in reversed(channel.top[start:high])] if high > low else []
    more = high - limit > low
    following = channel.top[start] if more else None
    echo = "".join(f',"{name}":{orjson.dumps(said[name]).decode()}' for name in ("latest", "oldest") if said.get(name))
    extra = echo.encode() + b',"pin_count":0,"channel_actions_ts":null,"channel_actions_count":0'
    return _page(shown, following, extra)


def replies(call: Call) -> bytes:
    """A thread, oldest first: the parent stands at the head of the first page, and of every other if it is set so."""
    channel, said = call.readable(), call.said
    limit = _limit(call, REPLIES)
    parent = call.message(channel, "thread_not_found")
    found = channel.threads.get(parent.at, [])
    low, high = _between(found, said)
    if (after := _place(said)) is not None:
        low = max(low, bisect_right(found, after))
    head = [parent.at] if after is None or call.workspace.repeats_parent else []
    end = min(high, low + max(1, limit - len(head)))
    shown = [_body(channel, at, said) for at in (*head, *found[low:end])]
    return _page(shown, found[end - 1] if end < high else None, b"")


def _limit(call: Call, sizes: tuple[int, int]) -> int:
    default, most = (STRICT_OBJECTS, STRICT_OBJECTS) if call.strict else sizes
    return call.said.limit(default, most)


def _between(order: list[int], said: Arguments) -> tuple[int, int]:
    """Where the time that was asked for begins and ends in *order*."""
    oldest, latest = said.moment("oldest"), said.moment("latest")
    inclusive = said.yes("inclusive")
    below, above = (bisect_left, bisect_right) if inclusive else (bisect_right, bisect_left)
    low = 0 if oldest is None else below(order, oldest)
    return low, len(order) if latest is None else above(order, latest)


def _place(said: Arguments) -> int | None:
    value = unpack(said.text("cursor"), "next_ts")
    if value is None:
        return None
    if not value.isdigit():
        raise Failed("invalid_cursor")
    return int(value)


def _body(channel: Channel, at: int, said: Arguments) -> bytes:
    message = channel.messages[at]
    return message.full if said.yes("include_all_metadata") else message.shown


def _page(shown: list[bytes], following: int | None, extra: bytes) -> bytes:
    head = b'{"ok":true,"messages":[' + b",".join(shown)
    if following is None:
        return head + b'],"has_more":false' + extra + b"}"
    cursor = pack("next_ts", stamps.stamp(following).replace(".", "")).encode()
    return head + b'],"has_more":true' + extra + b',"response_metadata":{"next_cursor":"' + cursor + b'"}}'
