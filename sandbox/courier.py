"""Delivers webhooks: real requests, tried again until they are answered with 200, and remembered.

Only to this machine. Deliveries may be held, and let go in any order, so that a test can make them late.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from sandbox.provider import WrongCall

WAITS = (0.3, 1.0, 3.0)
"""Seconds before a delivery is tried again."""
AT_ONCE = 20
PATIENCE_SECONDS = 30.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

Sign = Callable[[int], Mapping[str, str]]
"""The headers of an attempt, of which the first is number 0: a signature holds the time at which it was made."""


@dataclass(slots=True)
class Delivery:
    """One event on its way to one address."""

    number: int
    account: str
    event_id: str
    url: str
    body: bytes
    sign: Sign
    statuses: list[int | str] = field(default_factory=list)
    """What each attempt was answered with, or why it was not."""
    ms: int | None = None
    """How long the last attempt took."""

    def shown(self) -> dict[str, Any]:
        found = asdict(self)
        del found["sign"], found["body"]
        return found | {"bytes": len(self.body)}


class Courier:
    """All deliveries of the sandbox."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.held: set[str] = set()
        """The accounts whose deliveries wait to be let go."""
        self._waiting: list[Delivery] = []
        self._numbers = itertools.count(1)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    def send(self, account: str, event_id: str, url: str, body: bytes, *, sign: Sign) -> None:
        """The event is delivered soon."""
        delivery = Delivery(next(self._numbers), account, event_id, url, body, sign)
        self.deliveries.append(delivery)
        if account in self.held:
            self._waiting.append(delivery)
        else:
            self._start(delivery)

    def control(self, account: str, call: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """`deliveries`, `hold`, `forget`, `release {order?, drop?, repeat?}` (a seed and two shares), and
        `redeliver {event_id, times?}`.
        """
        if call == "deliveries":
            return {"items": [one.shown() for one in self.deliveries if one.account == account]}
        if call == "hold":
            self.held.add(account)
            return {"held": True}
        if call == "forget":
            return {"forgotten": self._release(account, order=0, drop=1.0)}
        if call == "release":
            return {"released": self._release(account, **body)}
        if call == "redeliver":
            found = [one for one in self.deliveries if one.account == account and one.event_id == body["event_id"]]
            for one in found * int(body.get("times", 1)):
                self._start(one)
            return {"redelivered": len(found)}
        raise WrongCall("there are deliveries, hold, forget, release and redeliver")

    def _release(self, account: str, order: int | None = None, drop: float = 0.0, repeat: float = 0.0) -> int:
        """What waits is let go: in another order, some of it twice and some of it never, as chance has it."""
        self.held.discard(account)
        going = [one for one in self._waiting if one.account == account]
        self._waiting = [one for one in self._waiting if one.account != account]
        if order is not None:
            chance = random.Random(order)
            going = [one for one in going if chance.random() >= drop]
            going += [one for one in going if chance.random() < repeat]
            chance.shuffle(going)
        for one in going:
            self._start(one)
        return len(going)

    def _start(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        for attempt in range(len(WAITS) + 1):
            async with self._room:
                status = await self._try(delivery, attempt)
            delivery.statuses.append(status)
            if status == httpx.codes.OK or attempt == len(WAITS):
                return
            await asyncio.sleep(WAITS[attempt])

    async def _try(self, delivery: Delivery, attempt: int) -> int | str:
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS)
        began = time.perf_counter()
        try:
            answer = await self._client.post(delivery.url, content=delivery.body, headers=dict(delivery.sign(attempt)))
        except httpx.HTTPError as error:
            return type(error).__name__
        finally:
            delivery.ms = round((time.perf_counter() - began) * 1000)
        return answer.status_code


def checked(url: str) -> str:
    """The address, if it is on this machine."""
    if urlsplit(url).hostname not in LOOPBACK:
        raise WrongCall("webhooks are delivered to this machine alone")
    return url
