"""Postgres' clock as this process sees it."""

import math


class Clock:
    """Translates Postgres' seconds into `time.monotonic()`, however late an answer was noticed.

    Postgres read its clock between the sending of the question and the noticing of the answer. Each answer gives such
    bounds; the estimate only moves when it lies outside of them, so a stalled event loop does not shift it, while a
    clock that is set or drifts takes it along.
    """

    def __init__(self) -> None:
        self._offset = math.inf

    def see(self, theirs: float, sent: float, noticed: float) -> None:
        self._offset = min(max(self._offset, sent - theirs), noticed - theirs)

    def ours(self, theirs: float) -> float:
        return theirs + self._offset
