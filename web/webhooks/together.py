"""What many ask at the same moment is asked of the database once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from storage.beside import Beside

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

MOST = 200
"""Questions that are answered at once at most."""


class Together(Beside, Generic[Asked, Answer]):
    """Collects questions while the ones before are being answered; opened once a process.

    *work* is given some of them, and answers each in its place; what it raises, each of them hears.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]]) -> None:
        self._answers = work
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._some = asyncio.Event()

    async def ask(self, asked: Asked) -> Answer:
        """Its answer."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        self._some.set()
        return await answer

    async def _work(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._answer(some)

    async def _answer(self, some: Sequence[tuple[Asked, "asyncio.Future[Answer]"]]) -> None:
        waiting = [answer for _, answer in some]
        try:
            answers = await self._answers([asked for asked, _ in some])
        except Exception as error:  # noqa: BLE001 -- whoever asked hears it
            for answer in waiting:
                if not answer.done():  # whoever asked may have gone
                    answer.set_exception(error)
            return
        except BaseException:
            for answer in waiting:
                answer.cancel()
            raise
        for answer, found in zip(waiting, answers, strict=True):
            if not answer.done():
                answer.set_result(found)
