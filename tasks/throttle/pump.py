"""Keeps a lane supplied while somebody wants units of it."""

import asyncio
import logging
import math
import random
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

from storage import buckets as rows
from tasks.throttle.clock import Clock
from tasks.throttle.limits import PrefectLimits
from tasks.throttle.line import Line
from tasks.throttle.stock import Lane, Stock

logger = logging.getLogger(__name__)

AHEAD = 0.030
"""Seconds before the end of a turn from which on the next one is claimed."""
AGAIN = 0.020
"""The same for whoever has the turn that ends: others come first, so that processes take turns."""
LEAD = 0.080
"""Seconds from the start of a turn until its first unit comes due: so long may Prefect take to grant it for nothing."""
SLOWEST = 10.0
"""Seconds that Prefect is expected to take at most."""
FORGETTING = 0.9
"""What is left of the slowest answer with each one after it."""
NOTICEABLE = 0.001
NAP = 1.0
"""Seconds after which a sleeping pump looks whether anything is still wanted."""


class Share(NamedTuple):
    """Of a bucket: so many units, which take it up for so many seconds."""

    units: int
    span: float


class Answer(NamedTuple):
    """Of Prefect, for one bucket: when the first unit comes due (None: it was denied) and when the turn is over."""

    begin: float | None
    end: float


class Pump:
    """Claims turns in Postgres, has Prefect grant them, and fills the stocks."""

    def __init__(self, line: Line, limits: PrefectLimits) -> None:
        self._line = line
        self._limits = limits
        self._clock = Clock()
        self._slow = 0.0
        """Seconds that Prefect took of late, at its slowest."""

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
            now = time.monotonic()
            endless = [stock for stock in short if stock.endless]
            for stock in endless:
                stock.renew(now)
            _tell(endless)
            limited = [stock for stock in short if not stock.endless]
            if not limited:
                return 0.0
            shares, wait = _shares(limited, _left_of_others(limited, now))
            return wait or await self._turn(shares)

    async def _turn(self, shares: dict[Stock, Share]) -> float:
        sent = time.monotonic()
        # A turn that Prefect grants late begins late, so it is taken for longer while Prefect is slow.
        allowance = max(0.0, min(self._slow, SLOWEST) - LEAD)
        spans = {stock.name: share.span + allowance for stock, share in shares.items()}
        turn = await self._line.ask(lambda conn: rows.take_turn(conn, spans, ahead=AHEAD))
        noticed = time.monotonic()
        if turn is None:
            await self._make([stock.name for stock in shares])
            return 0.0
        self._clock.see(turn.now, sent, noticed)
        start = self._clock.ours(turn.now + turn.wait)
        if not turn.got:
            return max(start - noticed, AHEAD / 10)
        await asyncio.sleep(start - noticed)
        answers = await asyncio.gather(*(self._ask(stock, start, share) for stock, share in shares.items()))
        for (stock, share), answer in zip(shares.items(), answers, strict=True):
            # Turns of one length end at one moment, also when Prefect answered late for one of them.
            end = max(
                other.end for mate, other in zip(shares.values(), answers, strict=True) if mate.span == share.span
            )
            stock.ends = await self._settle(stock.name, turn, spans[stock.name], start + spans[stock.name], end)
            if answer.begin is not None:
                stock.supply.add(answer.begin, _units(stock, share, stock.ends + LEAD - answer.begin))
        _tell(shares)
        return 0.0

    async def _ask(self, stock: Stock, start: float, share: Share) -> Answer:
        asked = time.monotonic()
        denied = await self._limits.ask(stock.name, share.units, stock.provider)
        answered = time.monotonic()
        self._slow = max(answered - asked, self._slow * FORGETTING)
        if denied is not None:
            logger.debug("rate limit denied: bucket=%s units=%d", stock.name, share.units)
            return Answer(None, answered + max(denied, share.span))
        begin = max(start + LEAD, answered)
        # Prefect counts from when it granted, somewhere between question and answer: asked for the next block much
        # sooner than this it would deny it, and a denial costs a whole block.
        settled = (asked + answered) / 2 + stock.pace.settled(share.units)
        return Answer(begin, max(begin - LEAD + share.span, settled))

    async def _settle(self, name: str, turn: rows.Turn, span: float, taken_until: float, end: float) -> float:
        """When our turn is over: at *end*, unless it was taken for less and somebody has had the next one since."""
        if abs(end - taken_until) < NOTICEABLE:
            return end
        left = end - time.monotonic()
        settled = await self._line.ask(lambda conn: rows.settle(conn, name, turn, span, left=left))
        return end if settled else min(end, taken_until)

    async def _prepare(self, stocks: Sequence[Stock]) -> None:
        """Each bucket has a row in Postgres and a limit in Prefect that is switched on."""
        new = [stock for stock in stocks if not stock.prepared]
        if new:
            await self._make([stock.name for stock in new])
        await asyncio.gather(*(self._ready(stock) for stock in stocks))

    async def _ready(self, stock: Stock) -> None:
        if stock.prepared:
            await self._limits.look(stock.name, stock.provider)
        else:
            await self._limits.prepare(stock.name, stock.pace, stock.provider)
            stock.prepared = True

    async def _make(self, names: Sequence[str]) -> None:
        await self._line.ask(lambda conn: rows.make(conn, names))


def _tell(stocks: Iterable[Stock]) -> None:
    for lane in {lane for stock in stocks for lane in stock.lanes}:
        lane.changed.set()


def _units(stock: Stock, share: Share, seconds: float) -> int:
    """The units of the share that come due within so many seconds; the others lapse."""
    if seconds >= share.span - NOTICEABLE:
        return share.units
    return max(0, min(share.units, stock.pace.fitting(seconds)))


def _short(stocks: Sequence[Stock], now: float) -> list[Stock]:
    """Those whose turn is over, or will be in a moment."""
    return [stock for stock in stocks if stock.ends - AGAIN <= now]


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
    live = [(stock, cost) for stock, cost in lane.draws if stock.ends - AGAIN > now]
    empty = [stock.ends for stock, cost in live if stock.supply.when(now, cost) is None]
    if empty:
        return max(empty) - AGAIN
    return now if len(live) < len(lane.draws) else min(stock.ends for stock, _ in live) - AGAIN


def _left_of_others(stocks: Sequence[Stock], now: float) -> float:
    """Seconds left of our turns at the buckets used beside these; one without a real limit never runs short."""
    lanes = [lane for stock in stocks for lane in stock.lanes if lane.wanted(now)]
    mates = [
        mate for lane in lanes for mate in lane.stocks if mate not in stocks and mate.scarce and mate.ends - AGAIN > now
    ]
    return min((mate.ends - now for mate in mates), default=math.inf)


def _shares(stocks: Sequence[Stock], left: float) -> tuple[dict[Stock, Share], float]:
    """What to ask for, so that turns at buckets that are used together end together; or how long to wait first.

    Turns that end apart would be lost to each other as soon as another process takes one of the buckets, or, if none
    can take both at once, that process would never have its turn.
    """
    span = min(stock.pace.span(stock.pace.block) for stock in stocks)
    if left < span / 2:
        return {}, left
    span = min(span, left)
    fitting = {stock: stock.pace.fitting(span) for stock in stocks}
    whole = {stock: Share(stock.pace.block, stock.pace.span(stock.pace.block)) for stock in stocks}
    return {stock: Share(count, span) if count else whole[stock] for stock, count in fitting.items()}, 0.0
