"""Google's rate limits: units over any one minute, for each user of a client's project, and for the whole project.

https://developers.google.com/workspace/calendar/api/guides/quota
https://developers.google.com/workspace/gmail/api/reference/quota
"""

import time
from collections import deque
from dataclasses import dataclass, field

from sandbox.google.errors import too_many


@dataclass(slots=True)
class Window:
    """What was taken during the last minute."""

    taken: deque[tuple[float, int]] = field(default_factory=deque)
    units: int = 0

    def left(self, allowed: int, now: float, minute: float) -> int:
        while self.taken and self.taken[0][0] <= now - minute:
            self.units -= self.taken.popleft()[1]
        return allowed - self.units

    def take(self, units: int, now: float) -> None:
        self.taken.append((now, units))
        self.units += units


class Limits:
    """How much an account and a project may ask of each API; None is no limit."""

    def __init__(self) -> None:
        self.on = True
        self.minute = 60.0
        """How long a minute is: a test may have a shorter one."""
        self.user: dict[str, int | None] = {"calendar": 600, "gmail": 6_000}
        self.project: dict[str, int | None] = {"calendar": 10_000, "gmail": 1_200_000}
        self.status = 403
        """403 or 429."""
        self._windows: dict[tuple[str, str], Window] = {}

    def take(self, service: str, client_id: str, units: int, project: dict[tuple[str, str], Window]) -> None:
        """Count one request, or refuse it; one refused counts for nothing. *project* is shared by all accounts."""
        if not self.on:
            return
        now = time.monotonic()
        key = (service, client_id)
        mine, all_ = self._windows.setdefault(key, Window()), project.setdefault(key, Window())
        for window, allowed, whole in ((mine, self.user[service], False), (all_, self.project[service], True)):
            if allowed is not None and window.left(allowed, now, self.minute) < units:
                raise too_many(self.status, project=whole, gmail=service == "gmail")
        mine.take(units, now)
        all_.take(units, now)

    def forget(self) -> None:
        """Nothing was asked yet."""
        self._windows.clear()
