"""What one process syncs with: its database, throttle, notifier and book of requests; opened once."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from connectors.base import Connector
from connectors.client import Client
from connectors.registry import get
from connectors.session import Session
from storage import tables
from storage.connections import Connection
from storage.database import Database, open_database
from storage.notify import Notifier
from storage.senders import Sender
from storage.tables import StreamTable
from tasks.request_book import RequestBook
from tasks.settings import SyncSettings, load
from tasks.stream_tables import tables_of
from tasks.throttle import PrefectThrottle
from tasks.tokens import credentials_of

DATABASE_CONNECTIONS = 12


@dataclass(frozen=True, slots=True)
class Source:
    """One connected account, ready to be read. `deadline` is the `time.monotonic()` at which its run ends."""

    connection: Connection
    connector: Connector
    client: Client
    tables: dict[str, StreamTable]
    deadline: float

    @property
    def out_of_time(self) -> bool:
        return time.monotonic() >= self.deadline


@dataclass(slots=True)
class Workshop:
    """See the module."""

    db: Database
    settings: SyncSettings
    throttle: PrefectThrottle
    notifier: Notifier
    book: RequestBook
    sender: Sender
    _made: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def source(self, connection: Connection, deadline: float) -> AsyncIterator[Source]:
        """The account of this connection, its credentials decrypted for as long as the client lives."""
        connector = get(connection.connector)
        session = Session(
            credentials=await credentials_of(self.db, self.book, connection),
            scope=scope_of(connection),
            mode="test" if connection.mode == "test" else "live",
            throttle=self.throttle,
            record=self.book.page(connection.id),
            deadline=deadline,
            scopes=frozenset(connection.scopes),
            renew=partial(credentials_of, self.db, self.book, connection),
        )
        async with connector.open(session) as client:
            yield Source(connection, connector, client, tables_of(connection.connector), deadline)

    async def ensure_tables(self, connector: str) -> None:
        """The connector's tables are there, with all its columns; looked at once a process."""
        if connector not in self._made:
            async with self.db.connection() as conn:
                await tables.ensure(conn, list(tables_of(connector).values()))
            self._made.add(connector)


def scope_of(connection: Connection) -> str:
    """Names the account that limits are for: two users' connections to one account share its allowance."""
    return f"{connection.external_account_id} {connection.mode}"


@asynccontextmanager
async def open_workshop() -> AsyncIterator[Workshop]:
    """A workshop on the database in use; SettingsError, before anything else, when a setting is malformed."""
    settings = load()
    async with (
        open_database(max_size=DATABASE_CONNECTIONS) as db,
        PrefectThrottle(db) as throttle,
        Notifier(db) as notifier,
        RequestBook(db) as book,
        Sender(db) as sender,
    ):
        yield Workshop(db, settings, throttle, notifier, book, sender)
