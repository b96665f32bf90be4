"""What a test does to what stands in a workspace: channels, messages, people.

A channel is named by its id or its name. The bot is meant where no user is named; but messages are written by a person
unless `bot` is asked for.
"""

from collections.abc import Callable
from typing import Any

from sandbox.provider import WrongCall
from sandbox.slack import loading, posting, shaking, stamps
from sandbox.slack.channels import Channel, Message
from sandbox.slack.workspace import Workspace

Body = dict[str, Any]


def _channel(workspace: Workspace, body: Body) -> Channel:
    found = _found(workspace, body["channel"])
    if found is None:
        raise WrongCall(f"no such channel: {body['channel']}")
    return found


def _found(workspace: Workspace, wanted: str) -> Channel | None:
    named = (row for row in workspace.channels.values() if row.name == wanted and not row.deleted)
    return workspace.channels.get(wanted) or next(named, None)


def _made(workspace: Workspace, bot: str, name: str) -> Channel:
    return workspace.new_channel(name, members=[bot])


def _message(channel: Channel, ts: str) -> Message:
    message = channel.messages.get(stamps.micros(ts) or -1)
    if message is None:
        raise WrongCall(f"no such message in {channel.id}: {ts}")
    return message


def _create_channel(workspace: Workspace, bot: str, body: Body) -> Body:
    """`{name, private?, member?, members?, topic?, purpose?}`: the bot is a member unless told otherwise."""
    fields = {name: body[name] for name in ("id", "private", "general", "topic", "purpose", "creator") if name in body}
    members = [*body.get("members", ()), *([bot] if body.get("member", True) else ())]
    channel = workspace.new_channel(body["name"], members=members, **fields)
    return channel.seen(workspace.id, bot)


def _change_channel(workspace: Workspace, bot: str, body: Body) -> Body:
    """`{channel, archived?, deleted?, name?, topic?, purpose?, private?}`: the channel with these."""
    channel = _channel(workspace, body)
    workspace.change_channel(channel, **{name: value for name, value in body.items() if name != "channel"})
    return channel.seen(workspace.id, bot)


def _post(workspace: Workspace, bot: str, body: Body) -> Body:
    """`{channel, text?, user?, bot?, ts?, thread_ts?, reply_broadcast?, fields?}`: the message."""
    channel = _channel(workspace, body)
    at = stamps.micros(body["ts"]) if "ts" in body else workspace.moment(channel)
    if at is None or at in channel.messages:
        raise WrongCall(f"ts {body['ts']} cannot be used")
    user = bot if body.get("bot") else body.get("user") or workspace.person()
    fields = posting.written(workspace, user, body.get("text", "hello"), at) | body.get("fields", {})
    parent = None
    if "thread_ts" in body:
        named = _message(channel, body["thread_ts"])
        parent = named.at if named.parent is None else named.parent
    broadcast = bool(body.get("reply_broadcast"))
    return posting.put(workspace, channel, fields, by="control", parent=parent, broadcast=broadcast).load()


def _edit(workspace: Workspace, bot: str, body: Body) -> Body:
    """`{channel, ts, text?, user?, fields?}`: the message as it is now."""
    del bot
    channel = _channel(workspace, body)
    message = _message(channel, body["ts"])
    changes = ({"text": body["text"]} if "text" in body else {}) | body.get("fields", {})
    user = body.get("user") or message.load().get("user") or workspace.owner
    return posting.edit(workspace, channel, message, changes, by="control", user=user)


def _delete(workspace: Workspace, bot: str, body: Body) -> Body:
    """`{channel, ts}`: gone; of a message with replies a tombstone stays."""
    del bot
    channel = _channel(workspace, body)
    posting.delete(workspace, channel, _message(channel, body["ts"]), by="control")
    return {"ts": body["ts"], "deleted": True}


def _join(workspace: Workspace, bot: str, body: Body) -> Body:
    """`{channel, user?}`."""
    return {"joined": posting.join(workspace, _channel(workspace, body), body.get("user") or bot, by="control")}


def _leave(workspace: Workspace, bot: str, body: Body) -> Body:
    """`{channel, user?}`."""
    return {"left": posting.leave(workspace, _channel(workspace, body), body.get("user") or bot, by="control")}


def _add_user(workspace: Workspace, bot: str, body: Body) -> Body:
    """`{name, …}`: any of a user's fields; `profile` is merged."""
    del bot
    return workspace.add_user(body.pop("name"), **body)


def _change_user(workspace: Workspace, bot: str, body: Body) -> Body:
    """`{user, deleted?, profile?, …}`: the user with these."""
    del bot
    return workspace.update_user(body.pop("user"), **body)


def _load(workspace: Workspace, bot: str, body: Body) -> Body:
    """`{channels: [names] | number, messages, replies?, seed?, spread?, size?, users?}`: a great deal at once.

    Channels that are not there are made.
    """
    for number in range(int(body.get("users", 0))):
        workspace.add_user(f"member{number}")
    wanted = body.get("channels", 0)
    if isinstance(wanted, int):
        wanted = [f"channel-{len(workspace.channels) + number}" for number in range(wanted)]
    made = [_found(workspace, name) or _made(workspace, bot, name) for name in wanted]
    options = {name: body[name] for name in ("seed", "spread", "replies", "size") if name in body}
    done = loading.load(workspace, made, int(body.get("messages", 0)), **options)
    return {"channels": [channel.id for channel in made], "messages": done}


def _shake(workspace: Workspace, bot: str, body: Body) -> Body:
    """`{seed, times?, only?}`: random changes, the same for the same seed."""
    del bot
    done = shaking.shake(workspace, seed=body["seed"], times=body.get("times", 1), only=body.get("only"))
    return {"done": done}


CALLS: dict[str, Callable[[Workspace, str, Body], Body]] = {
    "add_user": _add_user,
    "change_channel": _change_channel,
    "change_user": _change_user,
    "create_channel": _create_channel,
    "delete": _delete,
    "edit": _edit,
    "join": _join,
    "leave": _leave,
    "load": _load,
    "post": _post,
    "shake": _shake,
}
