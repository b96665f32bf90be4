"""The database in use, for the length of one command."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from storage.database import Database

T = TypeVar("T")


def with_database(work: Callable[["Database"], Awaitable[T]]) -> T:
    """What *work* answers, with the database open; the embedded one is put up first if nothing runs yet."""
    import asyncio

    from deployments.parts import database_for_command
    from storage.database import open_database

    async def opened() -> T:
        async with open_database() as db:
            return await work(db)

    with database_for_command():
        return asyncio.run(opened())
