"""The throttle that connectors are given: nobody exceeds a limit, over any number of processes."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

from connectors.errors import RateLimited
from connectors.session import Bucket
from storage import buckets as rows
from storage.database import Database
from tasks.throttle.limits import PrefectLimits
from tasks.throttle.line import Line
from tasks.throttle.pauses import Pauses
from tasks.throttle.pump import Pump, not_before
from tasks.throttle.stock import Lane, Stock

WORTH_TELLING = 1.0
"""Seconds from which on a pause is shown."""


class PrefectThrottle:
    """Implements `connectors.session.Throttle` for one event loop; close it, or use it as a context manager.

    One throttle serves all connections of a process: they share what the process was granted.
    """

    def __init__(self, db: Database) -> None:
        self._line = Line(db)
        self._limits = PrefectLimits()
        self._pump = Pump(self._line, self._limits)
        self._pauses = Pauses(self._line)
        self._stocks: dict[tuple[str, str, str], Stock] = {}
        self._lanes: dict[tuple[Bucket, ...], Lane] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        for lane in self._lanes.values():
            if lane.pump:
                lane.pump.cancel()
        await asyncio.gather(*(lane.pump for lane in self._lanes.values() if lane.pump), return_exceptions=True)
        await self._line.close()
        await self._limits.close()

    async def take(self, buckets: Sequence[Bucket], deadline: float) -> None:
        """Return when one request may be sent; RateLimited when that would be after *deadline* (`time.monotonic()`)."""
        lane = self._lane(tuple(buckets))
        now = time.monotonic()
        if not lane.waiting and lane.looked(now) and lane.paused_until() <= now and lane.take(now):
            return
        lane.waiting += 1
        try:
            async with asyncio.timeout(deadline - now):
                await self._refuse_long_pause(lane, deadline)
                async with lane.turn:
                    await self._wait(lane, deadline, since=now)
        except TimeoutError:
            raise _limited(lane) from None
        finally:
            lane.waiting -= 1

    async def pause(self, buckets: Sequence[Bucket], seconds: float) -> None:
        """Nobody, in any process, sends on these buckets for so long."""
        if seconds <= 0:
            return
        stocks = [self._stock(bucket) for bucket in buckets]
        until = time.monotonic() + seconds
        for stock in stocks:
            stock.paused_until = max(stock.paused_until, until)
        names = [stock.name for stock in stocks]
        await self._line.ask(lambda conn: rows.pause(conn, names, seconds))

    def waiting_until(self, connector: str, scope: str) -> datetime | None:
        """When the pause ends that requests of this account wait for; None if none waits for more than a second."""
        now = time.monotonic()
        lanes = [
            lane
            for buckets, lane in self._lanes.items()
            if lane.waiting and any((bucket.connector, bucket.scope) == (connector, scope) for bucket in buckets)
        ]
        left = max((lane.paused_until() - now for lane in lanes), default=0.0)
        return datetime.now(UTC) + timedelta(seconds=left) if left > WORTH_TELLING else None

    def _lane(self, buckets: tuple[Bucket, ...]) -> Lane:
        lane = self._lanes.get(buckets)
        if lane is None:
            stocks = [(self._stock(bucket), bucket) for bucket in buckets]
            lane = Lane([(stock, stock.pace.cost(bucket.units)) for stock, bucket in stocks])
            for stock, _ in stocks:
                stock.lanes.append(lane)
            self._lanes[buckets] = lane
        return lane

    def _stock(self, bucket: Bucket) -> Stock:
        key = (bucket.connector, bucket.name, bucket.scope)
        if key not in self._stocks:
            self._stocks[key] = Stock(bucket)
        return self._stocks[key]

    async def _wait(self, lane: Lane, deadline: float, *, since: float) -> None:
        """Until a unit of every bucket was taken."""
        while True:
            now = time.monotonic()
            at = lane.when(now)
            if at is None:
                if not_before(lane, now) > deadline:
                    raise _limited(lane)
                await self._pump.more(lane, since)
            elif at > now:
                await asyncio.sleep(at - now)
            elif await self._sleep_through_pause(lane, deadline) and lane.take(time.monotonic()):
                return

    async def _sleep_through_pause(self, lane: Lane, deadline: float) -> bool:
        """Whether there was none."""
        await self._refuse_long_pause(lane, deadline)
        left = lane.paused_until() - time.monotonic()
        if left > 0:
            await asyncio.sleep(left)
        return left <= 0

    async def _refuse_long_pause(self, lane: Lane, deadline: float) -> None:
        if not lane.looked(time.monotonic()):
            await self._pauses.look(lane.stocks)
        if lane.paused_until() > deadline:
            raise _limited(lane)


def _limited(lane: Lane) -> RateLimited:
    now = time.monotonic()
    return RateLimited(lane.stocks[0].provider, max(lane.paused_until(), not_before(lane, now)) - now)
