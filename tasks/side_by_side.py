"""Work done side by side, as one piece: the first error is the error of all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@asynccontextmanager
async def first_error() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that raises the first error of its tasks by itself, not a group of one."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


async def each(items: Iterable[Item], work: Callable[[Item], Awaitable[Result]], *, at_once: int) -> list[Result]:
    """The results of *work* on every item, in the items' order; so many at once."""
    room = asyncio.Semaphore(at_once)

    async def one(item: Item) -> Result:
        async with room:
            return await work(item)

    async with first_error() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]
