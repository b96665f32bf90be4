"""What really happened: every request and every write, for a test to look up afterwards."""

import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 500_000  # entries; older ones fall out


@dataclass(slots=True)
class Entry:
    """One request that a provider answered."""

    at: float
    """When it came in, by the machine's clock."""
    provider: str
    account: str | None
    mode: str | None
    method: str
    path: str
    route: str
    query: str
    key: str | None
    """A fingerprint of the credentials, never the credentials."""
    connection: int
    idempotency_key: str | None = None
    status: int | None = None
    fault: str | None = None
    done: bool = False
    """False while the answer is still held back."""


@dataclass(frozen=True, slots=True)
class Write:
    """One change of a provider's data, by a request or by the control interface."""

    at: float
    provider: str
    account: str
    mode: str
    by: str
    """`api` or `control`."""
    change: str
    stream: str
    id: str


class Ledger:
    """The requests and the writes since the start or since they were last cleared."""

    def __init__(self) -> None:
        self.requests: deque[Entry] = deque(maxlen=KEPT)
        self.writes: deque[Write] = deque(maxlen=KEPT)

    def read(self, account: str | None = None) -> dict[str, Any]:
        """All of it, or that of one account."""
        return {
            "requests": [asdict(entry) for entry in self.requests if account in (None, entry.account)],
            "writes": [asdict(write) for write in self.writes if account in (None, write.account)],
        }

    def rates(self, account: str | None = None) -> dict[str, Any]:
        """The most requests that came in during any one second, refused ones too: in all, and by endpoint."""
        entries = [entry for entry in self.requests if account in (None, entry.account)]
        endpoints: dict[str, list[float]] = {}
        for entry in entries:
            endpoints.setdefault(f"{entry.method} {entry.route}", []).append(entry.at)
        return {
            "requests": len(entries),
            "refused": sum(entry.status == 429 for entry in entries),  # noqa: PLR2004 - HTTP's own number
            "busiest_second": busiest(entry.at for entry in entries),
            "busiest_second_by_endpoint": {route: busiest(times) for route, times in sorted(endpoints.items())},
        }

    def clear(self, account: str | None = None) -> None:
        """Forget all of it, or that of one account."""
        self.requests = deque((e for e in self.requests if account not in (None, e.account)), maxlen=KEPT)
        self.writes = deque((w for w in self.writes if account not in (None, w.account)), maxlen=KEPT)


def busiest(times: Iterable[float], window: float = 1.0) -> int:
    """The most of *times* that fall into any window of that many seconds."""
    most = 0
    recent: deque[float] = deque()
    for time in sorted(times):
        recent.append(time)
        while recent[0] <= time - window:
            recent.popleft()
        most = max(most, len(recent))
    return most


def fingerprint(secret: str) -> str:
    """Tells two secrets apart without telling either."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]
