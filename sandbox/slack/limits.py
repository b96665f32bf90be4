"""Slack's rate limits, counted for each method, workspace and app over any one minute.

https://docs.slack.dev/apis/web-api/rate-limits
"""

import math
import time
from collections import deque
from collections.abc import Mapping

from sandbox.slack.errors import ratelimited

TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100
TIERS: Mapping[str, int] = {
    "auth.revoke": TIER_3,
    "auth.test": 500,  # "hundreds of requests per minute"
    "chat.delete": TIER_3,
    "chat.postMessage": 60,  # one a second and channel; counted here for each channel
    "chat.update": TIER_3,
    "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.join": TIER_3,
    "conversations.list": TIER_2,
    "conversations.members": TIER_4,
    "conversations.replies": TIER_3,
    "team.info": TIER_3,
    "users.info": TIER_4,
    "users.list": TIER_2,
}
STRICT: Mapping[str, int] = {"conversations.history": TIER_1, "conversations.replies": TIER_1}
"""For apps distributed commercially outside the Marketplace, since 2025-05-29."""
STRICT_OBJECTS = 15


class Limits:
    """How many requests a minute a method takes from one app in one workspace."""

    def __init__(self) -> None:
        self.on = True
        self.minute = 60.0
        """How long a minute is: a test may have a shorter one."""
        self.own: dict[str, int | None] = {}
        """What is set for single methods; None is no limit."""
        self._taken: dict[tuple[str, str], deque[float]] = {}

    def allowed(self, method: str, *, strict: bool) -> int | None:
        """How many a minute; None is no limit."""
        if not self.on:
            return None
        if method in self.own:
            return self.own[method]
        return STRICT.get(method, TIERS.get(method)) if strict else TIERS.get(method)

    def take(self, method: str, app: str, *, strict: bool, scope: str = "") -> None:
        """Count one request, or refuse it; one refused counts for nothing."""
        allowed = self.allowed(method, strict=strict)
        if allowed is None:
            return
        now = time.monotonic()
        recent = self._taken.setdefault((app, method + scope), deque())
        while recent and recent[0] <= now - self.minute:
            recent.popleft()
        if len(recent) >= allowed:
            left = recent[0] + self.minute - now if recent else self.minute
            raise ratelimited(max(1, math.ceil(left)))
        recent.append(now)

    def forget(self) -> None:
        """Nothing was asked yet."""
        self._taken.clear()
