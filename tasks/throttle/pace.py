"""The arithmetic of a published rate limit, without a clock."""

import math
from dataclasses import dataclass

from connectors.session import Limit

SHARE = 0.95
"""Of the published rate: what is missing pays for requests that travel for different times.

Units are spent at this share while Prefect's slots decay at the whole rate. The difference, a twentieth of a block
and the margin, is how much later than the next one Prefect may count a block before it denies the next; with both at
the share, one block in ten was denied on a busy machine, each a quarter of a second lost (76-88 % of the rate
instead of 91 %).
"""
BLOCKS_PER_SECOND = 4
UNREAL = 1000
"""Units per second that no provider grants: who sets so much wants no limit. Their block is a second's worth."""
ENDLESS = 100_000
"""Units per second that nobody can send: who sets so much is never denied any, so neither is anybody asked."""
MARGIN = 0.010
"""Seconds between two blocks, for Prefect's floor(): without it 53-82 % of the rate."""
ROUNDING = 1e-6
"""Seconds that keep two moments apart which are the same but for how floats are rounded."""
TRAVEL = 0.050
"""Seconds by which two requests may be apart in how long they take to the provider."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How one limit is spent: a block of units at a time, spread evenly over the block's span."""

    rate: float
    block: int
    late: float
    """Seconds for which a unit may still be spent after its moment; then it lapses."""

    @property
    def spacing(self) -> float:
        """Seconds from one unit to the next."""
        return 1 / (self.rate * SHARE)

    def span(self, units: int) -> float:
        """Seconds for which so many units take up the bucket."""
        return units * self.spacing + MARGIN

    def settled(self, units: int) -> float:
        """Seconds after which Prefect, whose slots decay at the whole rate, has forgotten so many units."""
        return units / self.rate

    def fitting(self, seconds: float) -> int:
        """The units, at most a block, whose span fits into so many seconds."""
        return min(self.block, math.floor((seconds - MARGIN) / self.spacing + 1e-6))

    def cost(self, units: int) -> int:
        """What a request of so many units is counted as, so that only whole requests fit into a second."""
        if units <= 1 or units > self.rate:
            return units
        return math.ceil(self.rate / math.floor(self.rate / units))

    def patience(self, cost: int) -> float:
        """How old the first of *cost* units may be when they are spent; dearer than a block, they are saved up."""
        if cost > self.block:
            return math.inf
        return self.late + (cost - 1) * self.spacing + (MARGIN if cost > 1 else 0)


def pace(limit: Limit) -> Pace:
    """The pace that stays within *limit* in any second, and in any of the limit's own periods."""
    rate = limit.units / limit.per_seconds
    block = max(1, math.floor(rate / (BLOCKS_PER_SECOND if rate < UNREAL else 1)))
    windows = {1.0, max(1.0, limit.per_seconds)}
    return Pace(rate, block, min(_late(rate, block, window) for window in windows))


def _late(rate: float, block: int, window: float) -> float:
    """One unit more than the window allows must not fit into it, though the first is late and the last travels fast."""
    allowed = math.ceil(rate * window - 1e-9)
    lasts = allowed / (rate * SHARE) + allowed // block * MARGIN
    return max(lasts - window - TRAVEL - ROUNDING, MARGIN)
