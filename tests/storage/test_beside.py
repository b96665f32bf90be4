import asyncio

import psycopg
import pytest

from storage import beside
from storage.beside import Beside, end
from tests.fixtures.syncing import until


class Counting(Beside):
    """Counts what was put on it, and what was left at the end."""

    def __init__(self):
        self.put = asyncio.Queue()
        self.counted = 0

    async def _work(self):
        while True:
            self.counted += await self.put.get()

    async def _finish(self):
        while not self.put.empty():
            self.counted += self.put.get_nowait()


async def test_it_works_while_it_is_open_and_finishes_what_is_left():
    """Inside the block it works by itself; after it nothing does, and nothing is left undone."""
    counting = Counting()
    async with counting:
        counting.put.put_nowait(1)
        for _ in range(3):
            await asyncio.sleep(0)
        assert counting.counted == 1
        counting.put.put_nowait(2)

    assert counting.counted == 3
    counting.put.put_nowait(4)
    await asyncio.sleep(0)
    assert counting.counted == 3


async def test_what_nobody_foresaw_is_logged_and_it_goes_on(monkeypatch, caplog):
    """Work that fails is begun again: nobody waits for it, so nobody else could."""
    monkeypatch.setattr(beside, "RESTART_SECONDS", 0.01)
    async with Counting() as counting:
        counting.put.put_nowait("no number")
        counting.put.put_nowait(2)
        await until(lambda: counting.counted == 2, "the number")

    assert "Counting failed" in caplog.text


async def test_who_forgives_being_cut_short_is_cancelled_again():
    """A task that takes its first cancellation for a database error and goes on ends all the same."""
    cut = 0

    async def forgiving():
        nonlocal cut
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cut += 1
                if cut > 1:
                    raise

    task = asyncio.create_task(forgiving())
    await asyncio.sleep(0)
    await end(task)

    assert task.cancelled()
    assert cut == 2


async def test_an_error_at_the_end_is_not_raised():
    """Whoever ends a task does not hear what it died of."""

    async def dies():
        raise psycopg.OperationalError

    task = asyncio.create_task(dies())
    await asyncio.sleep(0)
    await end(task)

    with pytest.raises(psycopg.OperationalError):
        task.result()
