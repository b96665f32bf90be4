"""What an app writes: `chat.postMessage`, `chat.update`, `chat.delete`.

https://docs.slack.dev/reference/methods/chat.postMessage
"""

from typing import Any

import orjson

from sandbox.slack import posting, stamps
from sandbox.slack.calls import Call
from sandbox.slack.channels import Channel, Message
from sandbox.slack.errors import Failed

TEXT_LIMIT = 40_000  # characters
BLOCK_LIMIT = 50
Fields = dict[str, Any]


def post(call: Call) -> bytes:
    """A message of the app's in a channel that it is in."""
    channel = _writable(call)
    text, blocks, attachments = _content(call)
    parent = _parent(call, channel)
    fields = _own(call, text, workspace_blocks(call, text, blocks))
    at = call.workspace.moment(channel)
    fields["ts"] = stamps.stamp(at)
    if attachments:
        fields["attachments"] = [row | {"id": number} for number, row in enumerate(attachments, 1)]
    if (metadata := _metadata(call)) is not None:
        fields["metadata"] = metadata
    broadcast = parent is not None and call.said.yes("reply_broadcast")
    message = posting.put(call.workspace, channel, fields, by="api", parent=parent, broadcast=broadcast)
    return orjson.dumps({"ok": True, "channel": channel.id, "ts": fields["ts"], "message": message.load()})


def workspace_blocks(call: Call, text: str, blocks: list[Fields] | None) -> list[Fields]:
    """The blocks that were given, each with an id; without any, those that Slack makes of the text."""
    if not blocks:
        return posting.rich_text(call.workspace, text)
    return [row | {"block_id": row.get("block_id") or posting.block_id(call.workspace)} for row in blocks]


def update(call: Call) -> bytes:
    """A message of the app's own, with other words."""
    channel, message = _mine(call, "cant_update_message")
    text, blocks, attachments = _content(call)
    changes: Fields = {"text": text, "blocks": workspace_blocks(call, text, blocks)}
    if attachments is not None:
        changes["attachments"] = attachments
    if (metadata := _metadata(call)) is not None:
        changes["metadata"] = metadata
    fields = posting.edit(call.workspace, channel, message, changes, by="api", user=call.token.user)
    return orjson.dumps({"ok": True, "channel": channel.id, "ts": fields["ts"], "text": text, "message": fields})


def delete(call: Call) -> bytes:
    """A message of the app's own is gone."""
    channel, message = _mine(call, "cant_delete_message")
    posting.delete(call.workspace, channel, message, by="api")
    return orjson.dumps({"ok": True, "channel": channel.id, "ts": stamps.stamp(message.at)})


def _writable(call: Call) -> Channel:
    call.scoped("chat:write")
    wanted = call.said.needed("channel", "channel_not_found")
    channel = call.workspace.channels.get(wanted)
    if channel is None:
        named = (found for found in call.workspace.channels.values() if found.name == wanted.removeprefix("#"))
        channel = next(named, None)
    if channel is None or channel.deleted or (channel.private and not call.inside(channel)):
        raise Failed("channel_not_found")
    if channel.archived:
        raise Failed("is_archived")
    if not call.inside(channel) and "chat:write.public" not in call.token.scopes:
        raise Failed("not_in_channel")
    return channel


def _mine(call: Call, error: str) -> tuple[Channel, Message]:
    channel = _writable(call)
    message = call.message(channel)
    fields = message.load()
    if fields.get("subtype") == "tombstone":
        raise Failed("message_not_found")
    if fields.get("user") != call.token.user:
        raise Failed(error)
    return channel, message


def _content(call: Call) -> tuple[str, list[Fields] | None, list[Fields] | None]:
    text = call.said.text("text") or ""
    blocks = _rows(call, "blocks", "invalid_blocks_format", BLOCK_LIMIT)
    attachments = _rows(call, "attachments", "invalid_attachments", 100)
    if not (text or blocks or attachments):
        raise Failed("no_text")
    if len(text) > TEXT_LIMIT:
        raise Failed("msg_too_long")
    return text, blocks, attachments


def _rows(call: Call, name: str, error: str, most: int) -> list[Fields] | None:
    rows = call.said.structure(name, error)
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Failed(error)
    if name == "blocks" and (len(rows) > most or not all(row.get("type") for row in rows)):
        raise Failed("invalid_blocks")
    return rows


def _metadata(call: Call) -> Fields | None:
    metadata = call.said.structure("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        raise Failed("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str):
        raise Failed("invalid_metadata_format")
    return metadata


def _parent(call: Call, channel: Channel) -> int | None:
    """The thread's parent, also if a reply was named."""
    text = call.said.text("thread_ts")
    if text is None:
        return None
    at = stamps.micros(text)
    message = channel.messages.get(at) if at is not None else None
    if message is None:
        raise Failed("thread_not_found")
    return message.at if message.parent is None else message.parent


def _own(call: Call, text: str, blocks: list[Fields]) -> Fields:
    found = call.token.installation
    fields: Fields = {"user": call.token.user, "type": "message", "ts": ""}
    if call.token.bot:
        icons = {f"image_{size}": f"https://a.slack-edge.com/bot_{size}.png" for size in (36, 48, 72)}
        profile = {
            "id": found.bot_id,
            "deleted": False,
            "name": found.app.name,
            "updated": 0,
            "app_id": found.app.id,
            "user_id": found.bot_user,
            "icons": icons,
            "team_id": found.workspace.id,
        }
        fields |= {"bot_id": found.bot_id, "app_id": found.app.id, "bot_profile": profile}
    return fields | {"text": text, "team": found.workspace.id, "blocks": blocks}
