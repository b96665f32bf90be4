"""Keeps a lane supplied while somebody wants units of it."""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

from storage import buckets as rows
from storage.database import Database
from tasks.throttle.clock import Clock
from tasks.throttle.limits import PrefectLimits
from tasks.throttle.stock import Lane, Stock

logger = logging.getLogger(__name__)

AHEAD = 0.030
"""Seconds before the end of a turn from which on the next one is claimed."""
LEAD = 0.080
"""Seconds from the start of a turn until its first unit comes due: so long may Prefect take to grant it."""
NAP = 1.0
"""Seconds after which a sleeping pump looks whether anything is still wanted."""


class Pump:
    """Claims turns in Postgres, has Prefect grant them, and fills the stocks."""

    def __init__(self, db: Database, limits: PrefectLimits) -> None:
        self._db = db
        self._limits = limits
        self._clock = Clock()

    async def more(self, lane: Lane, since: float) -> None:
        """Something changed for the lane: units came, or more is known of when they will.

        What kept the pump from its work is raised to all who have waited since before it happened.
        """
        if lane.failure is None or lane.failed < since:
            lane.changed.clear()
            if lane.pump is None:
                lane.failure = None
                lane.pump = asyncio.create_task(self._run(lane))
            await lane.changed.wait()
        if lane.failure and lane.failed >= since:
            raise lane.failure

    async def _run(self, lane: Lane) -> None:
        try:
            while lane.wanted(time.monotonic()):
                await self._step(lane)
        except Exception as error:  # noqa: BLE001  # it belongs to whoever waits, and is raised there
            lane.failure, lane.failed = error, time.monotonic()
            for stock in lane.stocks:
                stock.prepared = False
        finally:
            lane.pump = None
            lane.changed.set()

    async def _step(self, lane: Lane) -> None:
        now = time.monotonic()
        wait = _idle_until(lane, now) - now
        if wait <= 0:
            mine = _short(lane.stocks, now)
            together = _with_neighbours(mine, now)
            wait = await self._claim(together)
            if wait and len(together) > len(mine):
                wait = await self._claim(mine)
            if wait:
                lane.not_before = time.monotonic() + wait
                lane.changed.set()
                # Askers of several processes are spread, so that they do not all ask for the same turn at once.
                wait += random.uniform(0, 0.002) - AHEAD  # noqa: S311
        await asyncio.sleep(min(max(wait, 0), NAP))

    async def _claim(self, stocks: Sequence[Stock]) -> float:
        """Zero if the stocks have a turn now, the same for all of them; else the seconds until one is to be had."""
        async with AsyncExitStack() as stack:
            for stock in sorted(stocks, key=lambda stock: stock.name):
                await stack.enter_async_context(stock.claiming)
            short = _short(stocks, time.monotonic())
            if len(short) < len(stocks):
                return 0.0
            await self._prepare(short)
            units = _sizes(short, time.monotonic())
            return await self._turn(units)

    async def _turn(self, units: dict[Stock, int]) -> float:
        spans = {stock.name: stock.pace.span(count) for stock, count in units.items()}
        sent = time.monotonic()
        async with self._db.connection() as conn:
            turn = await rows.take_turn(conn, spans, ahead=AHEAD)
        noticed = time.monotonic()
        if turn is None:
            await self._make([stock.name for stock in units])
            return 0.0
        self._clock.see(turn.now, sent, noticed)
        start = self._clock.ours(turn.now + turn.wait)
        if not turn.got:
            return max(start - noticed, AHEAD / 10)
        await asyncio.sleep(start - noticed)
        await asyncio.gather(*(self._ask(stock, start, count) for stock, count in units.items()))
        return 0.0

    async def _ask(self, stock: Stock, start: float, units: int) -> None:
        denied = await self._limits.ask(stock.name, units, stock.provider)
        answered = time.monotonic()
        ends = start + stock.pace.span(units)
        if denied is None:
            # Prefect counts from when it granted, which may be as late as now: asked sooner than this it would deny,
            # and a denial costs a whole block.
            ends = max(ends, answered + stock.pace.settled(units))
            stock.add(start + LEAD, units, ends)
        else:
            ends = answered + max(denied, stock.pace.span(units))
            logger.debug("rate limit denied: bucket=%s units=%d", stock.name, units)
        if ends > start + stock.pace.span(units):
            async with self._db.connection() as conn:
                await rows.postpone(conn, stock.name, ends - time.monotonic())
        for lane in stock.lanes:
            lane.changed.set()

    async def _prepare(self, stocks: Sequence[Stock]) -> None:
        new = [stock for stock in stocks if not stock.prepared]
        if new:
            await self._make([stock.name for stock in new])
            for stock in new:
                await self._limits.prepare(stock.name, stock.pace, stock.provider)
                stock.prepared = True

    async def _make(self, names: Sequence[str]) -> None:
        async with self._db.connection() as conn:
            await rows.make(conn, names)


def _short(stocks: Sequence[Stock], now: float) -> list[Stock]:
    """Those whose turn is over, or will be in a moment."""
    return [stock for stock in stocks if stock.ends - AHEAD <= now]


def _with_neighbours(stocks: Sequence[Stock], now: float) -> list[Stock]:
    """These and what is short in other wanted lanes that draw on them: their turns are to begin together."""
    lanes = [lane for stock in stocks for lane in stock.lanes if lane.wanted(now)]
    neighbours = [stock for lane in lanes for stock in _short(lane.stocks, now)]
    return list(dict.fromkeys([*stocks, *neighbours]))


def not_before(lane: Lane, now: float) -> float:
    """No unit can be had sooner, as far as is known."""
    return max(lane.not_before, _idle_until(lane, now))


def _idle_until(lane: Lane, now: float) -> float:
    """When the lane next needs a turn.

    While a bucket whose turn lasts has nothing left for it, a turn at the others would lapse unused.
    """
    live = [(stock, cost) for stock, cost in lane.draws if stock.ends - AHEAD > now]
    empty = [stock.ends for stock, cost in live if stock.supply.when(now, cost) is None]
    if empty:
        return max(empty) - AHEAD
    return now if len(live) < len(lane.draws) else min(stock.ends for stock, _ in live) - AHEAD


def _sizes(stocks: Sequence[Stock], now: float) -> dict[Stock, int]:
    """How many units to ask for: a block, or what makes the turn end with that of the buckets used beside it.

    Two buckets whose turns end apart would be lost to each other as soon as another process takes one of them.
    """
    lanes = [lane for stock in stocks for lane in stock.lanes if lane.wanted(now)]
    ends = [mate.ends for lane in lanes for mate in lane.stocks if mate not in stocks]
    left = min(ends, default=now) - now
    sizes = {stock: stock.pace.fitting(left) for stock in stocks}
    return {stock: size if 2 * size >= stock.pace.block else stock.pace.block for stock, size in sizes.items()}
