"""A provider's own clock: it may be set, stopped or moved against everybody else's."""

import time
from email.utils import formatdate


class Clock:
    """The machine's time plus a skew, or a time that stands still."""

    def __init__(self) -> None:
        self.skew = 0.0
        self.fixed: float | None = None

    def now(self) -> float:
        """The time as this provider has it, in seconds since 1970."""
        return self.fixed if self.fixed is not None else time.time() + self.skew

    def date(self) -> str:
        """The same for a `Date` header."""
        return formatdate(self.now(), usegmt=True)
