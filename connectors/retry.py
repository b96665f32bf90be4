"""Trying again: tenacity behind one back-off hook, and how patient a request is."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState

T = TypeVar("T")

Hook = Callable[[BaseException, int], bool | float]
"""Given a failure and the number of the attempt: False gives up, True tries again after our own back-off, a number
tries again after so many seconds."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one request may take; all in seconds."""

    attempt: float = 60.0
    """From sending to the last byte, however slowly the bytes come."""
    budget: float = 90.0
    """From the first failure to giving up; together with a last slow attempt far below ten minutes."""
    first_wait: float = 0.5
    longest_wait: float = 20.0

    def back_off(self, attempt: int) -> float:
        """Full jitter: anything up to a ceiling that doubles with each attempt."""
        ceiling = min(self.longest_wait, self.first_wait * 2.0 ** min(attempt - 1, 30))
        return random.uniform(0.0, ceiling)  # noqa: S311 - spreads requests, guards nothing


_patience = Patience()


def patience() -> Patience:
    """What is in force."""
    return _patience


def set_patience(new: Patience | None = None) -> None:
    """One switch for tests: clients opened from now on are that patient; None restores the default."""
    global _patience  # noqa: PLW0603 - the one switch that STYLE asks for
    _patience = new or Patience()


async def repeat(attempt: Callable[[], Awaitable[T]], hook: Hook, back_off: Callable[[int], float]) -> T:
    """The result of *attempt*, made again for as long as *hook* says so; then its last exception."""
    try:
        return await attempt()  # what nearly always happens does not pay for what might have
    except Exception as error:  # noqa: BLE001 - the hook decides
        failure: Exception | None = error
    wait = 0.0

    def again(state: RetryCallState) -> bool:
        nonlocal wait
        failed = state.outcome.exception() if state.outcome else None
        if failed is None:
            return False
        said = hook(failed, state.attempt_number)
        wait = back_off(state.attempt_number) if said is True else float(said)
        return said is not False

    async def go_on() -> T:
        nonlocal failure
        if failure is None:
            return await attempt()
        first, failure = failure, None
        raise first

    retrying = AsyncRetrying(sleep=asyncio.sleep, retry=again, wait=lambda _: wait, reraise=True)
    return await retrying(go_on)
