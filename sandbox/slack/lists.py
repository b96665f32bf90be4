"""Channels, their members, and users.

https://docs.slack.dev/reference/methods/conversations.list
https://docs.slack.dev/reference/methods/users.list
"""

from bisect import bisect_right
from typing import Any

import orjson

from sandbox.slack import posting
from sandbox.slack.calls import Call
from sandbox.slack.channels import Channel
from sandbox.slack.cursors import pack, unpack
from sandbox.slack.errors import Failed
from sandbox.slack.people import shown

TYPES = {"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read", "mpim": "mpim:read"}
PAGE = (100, 999)  # default and most


def conversations(call: Call) -> bytes:
    """The channels that the token may know of; archived ones are left out after the page was cut, as in Slack."""
    kinds = [kind.strip() for kind in (call.said.text("types") or "public_channel").split(",")]
    for kind in kinds:
        if kind not in TYPES:
            raise Failed("invalid_types")
        call.scoped(TYPES[kind])
    limit = call.said.limit(*PAGE)
    found = sorted(_of_kinds(call, kinds), key=lambda channel: channel.id)
    after = unpack(call.said.text("cursor"), "team")
    start = 0 if after is None else bisect_right([channel.id for channel in found], after)
    page = found[start : start + limit]
    more = pack("team", page[-1].id) if start + limit < len(found) else ""
    if call.said.yes("exclude_archived"):
        page = [channel for channel in page if not channel.archived]
    rows = [channel.seen(call.workspace.id, call.token.user) for channel in page]
    return _listing("channels", rows, more)


def _of_kinds(call: Call, kinds: list[str]) -> list[Channel]:
    visible = call.workspace.visible(call.token.user)
    return [channel for channel in visible if ("private_channel" if channel.private else "public_channel") in kinds]


def info(call: Call) -> bytes:
    """One channel."""
    channel = call.channel("read")
    fields = channel.seen(call.workspace.id, call.token.user)
    if call.said.yes("include_num_members"):
        return orjson.dumps({"ok": True, "channel": fields})
    del fields["num_members"]
    return orjson.dumps({"ok": True, "channel": fields})


def members(call: Call) -> bytes:
    """Who is in a channel."""
    channel = call.channel("read")
    ids = list(channel.members)
    limit = call.said.limit(*PAGE)
    after = unpack(call.said.text("cursor"), "user")
    start = 0 if after is None else _behind(ids, after)
    page = ids[start : start + limit]
    return _listing("members", page, pack("user", page[-1]) if start + limit < len(ids) else "")


def join(call: Call) -> bytes:
    """The token's user is in the channel."""
    call.scoped("channels:join" if call.token.bot else "channels:write")
    channel = call.workspace.channels.get(call.said.needed("channel", "channel_not_found"))
    if channel is None or channel.deleted or (channel.private and not call.inside(channel)):
        raise Failed("channel_not_found")
    if channel.private:
        raise Failed("method_not_supported_for_channel_type")
    if channel.archived:
        raise Failed("is_archived")
    new = posting.join(call.workspace, channel, call.token.user, by="api")
    answer: dict[str, Any] = {"ok": True, "channel": channel.seen(call.workspace.id, call.token.user)}
    if not new:
        warned = {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
        return orjson.dumps(answer | warned)
    return orjson.dumps(answer)


def users(call: Call) -> bytes:
    """Everybody in the workspace, those who were deactivated too."""
    call.scoped("users:read")
    ids = list(call.workspace.users)
    limit = call.said.limit(len(ids), 1000) if call.said.text("limit") else len(ids)
    after = unpack(call.said.text("cursor"), "user")
    start = 0 if after is None else _behind(ids, after)
    page = ids[start : start + limit]
    rows = [shown(call.workspace.users[key], email=_email(call)) for key in page]
    more = pack("user", page[-1]) if start + limit < len(ids) else ""
    return _listing("members", rows, more, cache_ts=call.workspace.now())


def user(call: Call) -> bytes:
    """One user."""
    call.scoped("users:read")
    found = call.workspace.users.get(call.said.needed("user", "user_not_found"))
    if found is None:
        raise Failed("user_not_found")
    return orjson.dumps({"ok": True, "user": shown(found, email=_email(call))})


def _email(call: Call) -> bool:
    return "users:read.email" in call.token.scopes


def _behind(ids: list[str], after: str) -> int:
    if after not in ids:
        raise Failed("invalid_cursor")
    return ids.index(after) + 1


def _listing(name: str, rows: list[Any], more: str, **extra: Any) -> bytes:
    return orjson.dumps({"ok": True, name: rows} | extra | {"response_metadata": {"next_cursor": more}})
