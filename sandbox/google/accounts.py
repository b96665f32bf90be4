"""A Google account: its calendars' list, its mailbox, and the conditions under which it is served."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.google.limits import Limits
from sandbox.google.mailbox import Mailbox
from sandbox.ledger import Ledger, Write


@dataclass(frozen=True, slots=True)
class Announced:
    """Something of an account's has changed."""

    email: str
    service: str
    """`calendar` or `gmail`."""
    stream: str
    id: str


class Account:
    """One user of Google's."""

    def __init__(self, email: str, name: str, ledger: Ledger) -> None:
        self.email = email
        self.name = name
        self.sub = str(int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**21).zfill(21)
        self.ledger = ledger
        self.clock = Clock()
        self.latency = 0.0
        self.limits = Limits()
        self.faults = Faults()
        self.listeners: list[Callable[[Announced], None]] = []
        """Who is told of every change, once it is made."""
        self.mailbox = Mailbox(self)

    def changed(self, stream: str, change: str, key: str, *, by: str) -> None:
        """The change stands in the ledger and is announced."""
        now = self.clock.now()
        self.ledger.writes.append(Write(now, "google", self.email, "live", by, change, stream, key))
        service = "calendar" if stream in ("calendars", "events") else "gmail"
        for listener in self.listeners:
            listener(Announced(self.email, service, stream, key))


@dataclass(slots=True)
class ListEntry:
    """A calendar on somebody's list."""

    calendar_id: str
    version: int
    fields: dict[str, object] = field(default_factory=dict)
    """The user's own settings for it: summaryOverride, hidden, selected, colorId, …"""
    removed: bool = False
