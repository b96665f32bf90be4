"""Random changes, the same for the same seed."""

import random
from collections.abc import Callable, Sequence

from sandbox.slack import posting
from sandbox.slack.channels import Channel, Message
from sandbox.slack.workspace import Workspace

WORDS = ["the", "report", "is", "late", "again", "and", "nobody", "knows", "why", "but", "lunch", "was", "good"]


def shake(
    workspace: Workspace, *, seed: int | None, times: int = 1, only: Sequence[str] | None = None, by: str = "control"
) -> list[str]:
    """*times* changes, of all kinds or of those named; says what was done."""
    rng = random.Random(seed)
    kinds = [name for name in CHANGES if only is None or name in only]
    done = []
    for _ in range(times):
        kind = rng.choice(kinds)
        done.append(f"{kind} {CHANGES[kind](workspace, rng, by)}".strip())
    return done


def _channel(workspace: Workspace, rng: random.Random) -> Channel:
    open_ones = [found for found in workspace.channels.values() if not (found.deleted or found.archived)]
    return rng.choice(open_ones) if open_ones else workspace.new_channel(f"made-{rng.getrandbits(32):x}")


def _message(workspace: Workspace, rng: random.Random) -> tuple[Channel, Message] | None:
    """Some message that is no tombstone."""
    channel = _channel(workspace, rng)
    if not channel.messages:
        return None
    message = channel.messages[rng.choice(sorted(channel.messages))]
    return None if b'"subtype"' in message.shown[:200] else (channel, message)


def _text(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(1, 12)))


def _post(workspace: Workspace, rng: random.Random, by: str) -> str:
    channel = _channel(workspace, rng)
    fields = posting.written(workspace, workspace.person(), _text(rng), workspace.moment(channel))
    return posting.key(channel, posting.put(workspace, channel, fields, by=by).at)


def _reply(workspace: Workspace, rng: random.Random, by: str) -> str:
    found = _message(workspace, rng)
    if found is None:
        return _post(workspace, rng, by)
    channel, message = found
    parent = message.at if message.parent is None else message.parent
    fields = posting.written(workspace, workspace.person(), _text(rng), workspace.moment(channel))
    broadcast = rng.random() < 0.2  # noqa: PLR2004 - every fifth
    return posting.key(channel, posting.put(workspace, channel, fields, by=by, parent=parent, broadcast=broadcast).at)


def _edit(workspace: Workspace, rng: random.Random, by: str) -> str:
    found = _message(workspace, rng)
    if found is None:
        return _post(workspace, rng, by)
    channel, message = found
    user = message.load().get("user", workspace.owner)
    posting.edit(workspace, channel, message, {"text": _text(rng)}, by=by, user=user)
    return posting.key(channel, message.at)


def _delete(workspace: Workspace, rng: random.Random, by: str) -> str:
    found = _message(workspace, rng)
    if found is None:
        return _post(workspace, rng, by)
    channel, message = found
    posting.delete(workspace, channel, message, by=by)
    return posting.key(channel, message.at)


def _new_channel(workspace: Workspace, rng: random.Random, by: str) -> str:
    channel = workspace.new_channel(f"made-{rng.getrandbits(32):x}", by=by)
    for user in workspace.bots():
        posting.join(workspace, channel, user, by=by)
    return channel.id


def _archive(workspace: Workspace, rng: random.Random, by: str) -> str:
    channel = _channel(workspace, rng)
    workspace.change_channel(channel, by=by, archived=True)
    return channel.id


def _rename(workspace: Workspace, rng: random.Random, by: str) -> str:
    channel = _channel(workspace, rng)
    workspace.change_channel(channel, by=by, name=f"renamed-{rng.getrandbits(32):x}")
    return channel.id


def _user(workspace: Workspace, rng: random.Random, by: str) -> str:
    user = workspace.person()
    workspace.update_user(user, by=by, profile={"status_text": _text(rng)})
    return user


def _new_user(workspace: Workspace, rng: random.Random, by: str) -> str:
    return str(workspace.add_user(f"user{rng.getrandbits(32):x}", by=by)["id"])


CHANGES: dict[str, Callable[[Workspace, random.Random, str], str]] = {
    "post": _post,
    "reply": _reply,
    "edit": _edit,
    "delete": _delete,
    "new_channel": _new_channel,
    "archive": _archive,
    "rename": _rename,
    "user": _user,
    "new_user": _new_user,
}
