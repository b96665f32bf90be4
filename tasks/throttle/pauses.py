"""What the provider asked any process to wait for."""

import asyncio
import time
from collections.abc import Sequence

from storage import buckets as rows
from tasks.throttle.line import Line
from tasks.throttle.stock import Stock


class Pauses:
    """Looked up before almost every request, for all buckets in use at once."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._looking = asyncio.Lock()

    async def look(self, stocks: Sequence[Stock]) -> None:
        """What is known of these buckets' pauses is fresh, and of those that are in use beside them."""
        async with self._looking:
            now = time.monotonic()
            if all(stock.fresh(now) for stock in stocks):
                return
            lanes = [lane for stock in stocks for lane in stock.lanes if lane.wanted(now)]
            beside = dict.fromkeys([*stocks, *(stock for lane in lanes for stock in lane.stocks)])
            names = [stock.name for stock in beside]
            seconds = await self._line.ask(lambda conn: rows.pauses(conn, names))
            answered = time.monotonic()
            for stock in beside:
                # As fresh as the question: Postgres may have looked long before its answer was noticed.
                stock.see_pause(answered + seconds[stock.name] if stock.name in seconds else 0.0, looked=now)
