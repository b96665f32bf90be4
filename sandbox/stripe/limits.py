"""Stripe's rate limits, counted over any one second.

https://docs.stripe.com/rate-limits
"""

import time
from collections import deque
from dataclasses import dataclass, field

from sandbox.stripe.errors import too_many

LIVE, TEST, ENDPOINT = 100, 25, 25
WINDOW = 1.0


@dataclass(slots=True)
class Limits:
    """How many requests a second an account and each of its endpoints takes; None is no limit."""

    account: int | None
    endpoint: int | None
    _taken: dict[str, deque[float]] = field(default_factory=dict)

    @classmethod
    def published(cls, mode: str) -> "Limits":
        """The limits as Stripe publishes them for that mode."""
        return cls(LIVE if mode == "live" else TEST, ENDPOINT)

    def take(self, endpoint: str) -> None:
        """Count one request, or refuse it; one refused counts for nothing."""
        now = time.monotonic()
        buckets = (("", self.account, "global-rate"), (endpoint, self.endpoint, "endpoint-rate"))
        for name, limit, reason in buckets:
            recent = self._taken.setdefault(name, deque())
            while recent and recent[0] <= now - WINDOW:
                recent.popleft()
            if limit is not None and len(recent) >= limit:
                raise too_many(reason)
        for name, _, _ in buckets:
            self._taken[name].append(now)
