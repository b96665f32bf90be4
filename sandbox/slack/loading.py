"""Many channels with many messages at once, without a request for each."""

import random
from collections.abc import Sequence

from sandbox.slack import posting
from sandbox.slack.channels import Channel, thread_fields
from sandbox.slack.shaking import WORDS
from sandbox.slack.stamps import MICRO, stamp
from sandbox.slack.workspace import Workspace

YEAR = 365 * 24 * 3600.0


def load(
    workspace: Workspace,
    channels: Sequence[Channel],
    messages: int,
    *,
    seed: int = 0,
    spread: float = YEAR,
    replies: int = 0,
    size: int = 80,
) -> int:
    """So many *messages* in each channel over the last *spread* seconds, every tenth with *replies*; says how many."""
    rng = random.Random(seed)
    people = [key for key, user in workspace.users.items() if not (user["is_bot"] or user["deleted"])]
    end = int(workspace.clock.now() * MICRO)
    done = 0
    for channel in channels:
        step = max(1, int(spread * MICRO / max(1, messages)))
        for number in range(messages):
            at = channel.free(end - (messages - number) * step + rng.randrange(step))
            channel.put(posting.written(workspace, rng.choice(people), _text(rng, size), at))
            done += 1 + (_thread(workspace, channel, at, rng, replies) if number % 10 == 0 else 0)
    return done


def _thread(workspace: Workspace, channel: Channel, parent: int, rng: random.Random, replies: int) -> int:
    """So many replies, a second apart."""
    author = channel.messages[parent].load()["user"]
    for number in range(1, replies + 1):
        at = channel.free(parent + number * MICRO)
        fields = posting.written(workspace, workspace.person(), _text(rng, 40), at)
        channel.put(fields | {"thread_ts": stamp(parent), "parent_user_id": author}, parent=parent)
    if replies:
        channel.put(channel.messages[parent].load() | thread_fields(channel, parent))
    return replies


def _text(rng: random.Random, size: int) -> str:
    words: list[str] = []
    length = 0
    while length < size:
        words.append(rng.choice(WORDS))
        length += len(words[-1]) + 1
    return " ".join(words)
