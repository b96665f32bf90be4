"""What this process knows of one bucket, and of a set of buckets that its requests draw on together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.session import Bucket
from tasks.throttle.limits import limit_name
from tasks.throttle.pace import ENDLESS, UNREAL, Pace, pace
from tasks.throttle.supply import Supply

PAUSE_AGE = 0.010
"""Seconds after which it is looked again whether the provider asked somebody to pause."""
WANTED = 0.1
"""Seconds for which units are still wanted after one was taken: a request is under way, and the next will come."""


class Stock:
    """One bucket. All times are `time.monotonic()`."""

    def __init__(self, bucket: Bucket) -> None:
        self.provider = bucket.connector
        self.name = limit_name(bucket)
        self.pace: Pace = pace(bucket.limit)
        self.supply = Supply(self.pace)
        self.lanes: list[Lane] = []
        self.claiming = asyncio.Lock()
        self.prepared = False
        self.ends = 0.0
        """When our last turn at this bucket is over."""
        self.paused_until = 0.0
        self.looked = 0.0
        """When the pause was last looked up."""

    @property
    def scarce(self) -> bool:
        """Whether a provider might really grant so little."""
        return self.pace.rate < UNREAL

    @property
    def endless(self) -> bool:
        """Whether nobody can use it up, whatever other processes do."""
        return self.pace.rate >= ENDLESS

    def renew(self, now: float) -> None:
        """An endless one has a block of units from now on, without a turn."""
        self.supply.add(now, self.pace.block)
        self.ends = now + self.pace.span(self.pace.block)

    def see_pause(self, until: float, *, looked: float) -> None:
        """A pause never becomes shorter: one that was set here meanwhile stays, though the answer did not know it."""
        self.looked = looked
        self.paused_until = max(self.paused_until, until)

    def fresh(self, now: float) -> bool:
        """Whether what is known of its pause is."""
        return now - self.looked <= PAUSE_AGE


@dataclass(slots=True, eq=False)
class Lane:
    """Requests that draw on the same buckets, first come, first served."""

    draws: Sequence[tuple[Stock, int]]
    """Each bucket with what a request costs there."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    pump: asyncio.Task[None] | None = None
    failure: Exception | None = None
    failed: float = 0.0
    waiting: int = 0
    taken: float = 0.0
    not_before: float = 0.0
    """No unit can be had sooner, as far as is known."""

    @property
    def stocks(self) -> list[Stock]:
        return [stock for stock, _ in self.draws]

    def wanted(self, now: float) -> bool:
        return self.waiting > 0 or now - self.taken < WANTED

    def paused_until(self) -> float:
        return max(stock.paused_until for stock, _ in self.draws)

    def looked(self, now: float) -> bool:
        """Whether what is known of pauses is fresh."""
        return all(stock.fresh(now) for stock, _ in self.draws)

    def when(self, now: float) -> float | None:
        """When a request can be sent; None if a bucket has not enough units left."""
        latest = now
        for stock, cost in self.draws:
            at = stock.supply.when(now, cost)
            if at is None:
                return None
            latest = max(latest, at)
        return latest

    def take(self, now: float) -> bool:
        """Whether one request may be sent now; if so, it is paid for in every bucket."""
        payments = []
        for stock, cost in self.draws:
            found = stock.supply.find(now, cost)
            if found is None or found.when > now:
                return False
            payments.append((stock.supply, found))
        for supply, found in payments:
            supply.spend(found)
        self.taken = now
        return True
