"""Many messages and events at once, without a request for each."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import partial
from typing import Any

from sandbox.google import event_writes
from sandbox.google.accounts import Account
from sandbox.google.calendars import Calendar
from sandbox.google.calls import World
from sandbox.google.mime import simple

YEAR = 365 * 24 * 3600.0
WORDS = ["the", "report", "is", "late", "again", "and", "nobody", "knows", "why", "but", "lunch", "was", "good"]


def load(
    world: World,
    account: Account,
    *,
    messages: int = 0,
    events: int = 0,
    calendar: str = "primary",
    seed: int = 0,
    spread: float = YEAR,
    size: int = 400,
) -> dict[str, Any]:
    """So many messages and events over the last *spread* seconds."""
    rng = random.Random(seed)
    _load_messages(account, messages, rng, spread, size)
    if events:
        _load_events(account, world.calendars.find(account, calendar, "writer"), events, rng, spread)
    return {"messages": messages, "events": events}


def _load_messages(account: Account, count: int, rng: random.Random, spread: float, size: int) -> None:
    box, now = account.mailbox, account.clock.now()
    texts = [_text(rng, size) for _ in range(min(count, 50))]
    ids = {f"{rng.getrandbits(64):016x}" for _ in range(count)}
    while len(ids) < count:
        ids.add(f"{rng.getrandbits(64):016x}")
    for number, key in enumerate(sorted(ids)):
        at = now - spread + number * spread / count
        text = f"Message {number}\r\n{rng.choice(texts)}\r\n"
        headers = [
            ("From", f"Ada {number % 97} <ada{number % 97}@example.com>"),
            ("To", account.email),
            ("Subject", f"Message {number}"),
            ("Date", formatdate(at)),
            ("Message-ID", f"<{key}@example.com>"),
            ("MIME-Version", "1.0"),
            ("Content-Type", 'text/plain; charset="utf-8"'),
        ]
        labels = ["INBOX"] if number % 5 else ["UNREAD", "INBOX"]
        make_raw = partial(_raw, headers, text)
        size_ = sum(len(name) + len(value) + 4 for name, value in headers) + 2 + len(text)
        box.put(simple(headers, text), make_raw, size_, labels, by="control", date=int(at * 1000), key=key)


def _raw(headers: list[tuple[str, str]], text: str) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n" + text.encode()


def _load_events(account: Account, calendar: Calendar, count: int, rng: random.Random, spread: float) -> None:
    begin = datetime.fromtimestamp(account.clock.now() - spread, UTC).replace(microsecond=0)
    for number in range(count):
        start = begin + timedelta(seconds=int(number * spread / count))
        fields = {
            "summary": f"Event {number}",
            "description": _text(rng, 80),
            "start": {"dateTime": start.isoformat()},
            "end": {"dateTime": (start + timedelta(minutes=rng.choice((15, 30, 60)))).isoformat()},
        }
        event_writes.insert(account, calendar, fields, by="control")


def _text(rng: random.Random, size: int) -> str:
    words: list[str] = []
    length = 0
    while length < size:
        words.append(rng.choice(WORDS))
        length += len(words[-1]) + 1
    return " ".join(words)
