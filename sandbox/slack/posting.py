"""Messages come, change and go: by the API and by a test's hand alike."""

from typing import Any

from sandbox.slack.channels import Channel, Message, thread_fields
from sandbox.slack.people import SLACKBOT
from sandbox.slack.stamps import MICRO, stamp
from sandbox.slack.workspace import Workspace

Fields = dict[str, Any]


def rich_text(workspace: Workspace, text: str) -> list[Fields]:
    """The blocks that Slack itself makes of a message's text."""
    words = [{"type": "text", "text": text}]
    section = {"type": "rich_text_section", "elements": words}
    return [{"type": "rich_text", "block_id": block_id(workspace), "elements": [section]}]


def block_id(workspace: Workspace) -> str:
    return f"{workspace.random.getrandbits(24):05x}"[:5]


def written(workspace: Workspace, user: str, text: str, at: int) -> Fields:
    """A message as a person writes it."""
    number = workspace.random.getrandbits(128)
    parts = f"{number:032x}"
    return {
        "user": user,
        "type": "message",
        "ts": stamp(at),
        "client_msg_id": f"{parts[:8]}-{parts[8:12]}-4{parts[13:16]}-a{parts[17:20]}-{parts[20:]}",
        "text": text,
        "team": workspace.id,
        "blocks": rich_text(workspace, text),
    }


def put(
    workspace: Workspace,
    channel: Channel,
    fields: Fields,
    *,
    by: str,
    parent: int | None = None,
    broadcast: bool = False,
) -> Message:
    """A new message, and its parent's counts with it."""
    if parent is not None:
        author = channel.messages[parent].load().get("user")
        fields |= {"thread_ts": stamp(parent)} | ({"parent_user_id": author} if author else {})
        if broadcast:
            fields = {"subtype": "thread_broadcast"} | fields
    message = channel.put(fields, parent=parent, broadcast=broadcast)
    workspace.changed("created", "messages", key(channel, message.at), by=by)
    if parent is not None:
        count_replies(workspace, channel, parent, by=by)
    return message


def edit(workspace: Workspace, channel: Channel, message: Message, changes: Fields, *, by: str, user: str) -> Fields:
    """The message with other words, marked as edited; Slack marks it with whole seconds."""
    before = message.load()
    fields = before | changes
    fields["edited"] = {"user": user, "ts": f"{workspace.now()}.000000"}
    if "text" in changes and "blocks" not in changes and "blocks" in fields:
        fields["blocks"] = rich_text(workspace, changes["text"])
    channel.put(fields, parent=message.parent, broadcast=message.broadcast)
    workspace.changed("updated", "messages", key(channel, message.at), by=by, was=before)
    return fields


def delete(workspace: Workspace, channel: Channel, message: Message, *, by: str) -> None:
    """The message is gone; of one with replies a tombstone stays."""
    before = message.load()
    if channel.threads.get(message.at):
        tombstone = {
            "type": "message",
            "subtype": "tombstone",
            "text": "This message was deleted.",
            "user": SLACKBOT,
            "hidden": True,
            "ts": stamp(message.at),
        }
        channel.put(tombstone | thread_fields(channel, message.at))
        workspace.changed("deleted", "messages", key(channel, message.at), by=by, was=before)
        return
    channel.drop(message)
    workspace.changed("deleted", "messages", key(channel, message.at), by=by, was=before)
    if message.parent is not None and message.parent in channel.messages:
        count_replies(workspace, channel, message.parent, by=by)


def count_replies(workspace: Workspace, channel: Channel, parent: int, *, by: str) -> None:
    """What the parent says of its thread is true; a tombstone without replies is no more."""
    message = channel.messages[parent]
    fields = message.load()
    counted = thread_fields(channel, parent)
    if not counted and fields.get("subtype") == "tombstone":
        channel.drop(message)
        return
    for name in ("thread_ts", "reply_count", "reply_users_count", "latest_reply", "reply_users", "is_locked"):
        fields.pop(name, None)
    fields.pop("subscribed", None)
    channel.put(fields | counted)
    workspace.changed("counted", "messages", key(channel, parent), by=by)


def join(workspace: Workspace, channel: Channel, user: str, *, by: str) -> bool:
    """*user* is in the channel; False if they were already."""
    if user in channel.members:
        return False
    channel.members[user] = None
    if workspace.says_joins:
        text = f"<@{user}> has joined the channel"
        at = workspace.moment(channel)
        fields = {"subtype": "channel_join", "user": user, "text": text, "type": "message", "ts": stamp(at)}
        put(workspace, channel, fields, by=by)
    workspace.changed("updated", "channels", channel.id, by=by)
    return True


def leave(workspace: Workspace, channel: Channel, user: str, *, by: str) -> bool:
    """*user* is not in the channel; False if they were not before."""
    if channel.members.pop(user, 0) == 0:
        return False
    workspace.changed("updated", "channels", channel.id, by=by)
    return True


def key(channel: Channel, at: int) -> str:
    """What names a message: its channel and its timestamp."""
    return f"{channel.id} {at // MICRO:010d}.{at % MICRO:06d}"
