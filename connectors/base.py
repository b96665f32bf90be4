"""What a connector is: a provider, its streams, and how they are read.

A connector knows HTTP and its provider's documents. It knows no Prefect and no Postgres: the flows hand it
a client, take pages from it and store them.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from connectors.actions import Action
from connectors.client import Client
from connectors.columns import Column
from connectors.errors import ConnectorError
from connectors.live import LiveRead
from connectors.session import Mode, Session

if TYPE_CHECKING:  # they are made of what stands here
    from connectors.push import Push
    from connectors.webhooks import Webhooks

Cursor = dict[str, Any]
"""Where a read goes on: JSON that only its connector understands."""

Key = tuple[str, ...]
"""A record's key: the values of the stream's key columns, in their order."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one step of a read brought.

    `records` are JSON texts as received, one a record. `touched` names records that changed and are to be read
    by id. `deleted` names records that the provider says are gone; `cancelled` are such records with what is left of
    them: a row that is there keeps its content, where there is none the remains make one. `cursor` is where the read
    goes on once all of this is stored; None means that this part has been read to its end.

    The rest is for streams whose first key column names a scope, such as a channel or a calendar: `covered` are the
    scopes of which this part has now read everything, `unreadable` those that it could not read, each with a sentence.
    `learned` is merged into the change cursor with which the stream goes on after the full read.
    """

    records: Sequence[bytes] = ()
    cursor: Cursor | None = None
    touched: Sequence[Key] = ()
    deleted: Sequence[Key] = ()
    cancelled: Sequence[bytes] = ()
    covered: Sequence[str] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    learned: Cursor | None = None
    read_between: tuple[float, float] | None = None
    """When the provider made this page, by its own clock in Unix seconds: no earlier, and no later. For streams whose
    events carry content."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a stream that has been read completely: a row that lies in it and is not among `keys` is absent.

    `scope` is a value of the first key column, None stands for the whole stream. `low` and `high` bound the last key
    column as text, both included.
    """

    keys: frozenset[Key]
    scope: str | None = None
    low: str | None = None
    high: str | None = None
    belonging: tuple[str, str | None] | None = None
    """A column and its value: only rows that have it are meant. A value of None stands for rows that belong to no other
    one: the column is null, or repeats the row's own last key."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a stream has been read, as far as that is not all: what people are shown of it."""

    complete_from: datetime | None = None
    """Everything from then on is here; None where nothing is left out by age."""
    backlog: int = 0
    """Scopes, such as channels, that are still to be visited."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Scopes that cannot be read, each with a sentence for the user; their rows stay."""


@dataclass(frozen=True, slots=True)
class Change:
    """A page of a connector's change feed, for one stream; its cursor is the stream's new change cursor.

    A cursor of None leaves the stream's cursor as it is. `unavailable` says why this stream alone could not be read.
    A `window` comes with the last page of what was read completely, a `coverage` whenever it has changed.
    """

    stream: str
    page: Page
    unavailable: ConnectorError | None = None
    window: Window | None = None
    coverage: Coverage | None = None


class Stream(ABC):
    """One kind of record of a connector; it has one table."""

    name: ClassVar[str]
    key: ClassVar[tuple[str, ...]] = ("id",)
    columns: ClassVar[Mapping[str, Column]]
    """The typed columns beside the key, by their names in the table."""
    source: ClassVar[str]
    """The provider's document that describes the record."""
    told_by: ClassVar[tuple[str, ...]] = ()
    """What the provider pushes of its changes, by the provider's own names; `.*` stands for all that begin so."""
    scopes: ClassVar[frozenset[str]] = frozenset()
    """Without all of these granted the stream is unavailable."""
    asks_by_id: ClassVar[bool] = True
    """Whether a record that is absent is asked for before its row becomes a tombstone."""
    absent_where: ClassVar[Mapping[str, str]] = {}
    """Only rows with these values, as text, are retired for being absent: of others it may be access that was lost."""
    parent: ClassVar[str | None] = None
    """The stream whose key is the first key column here. A full read retires only rows whose parent it has covered,
    and the rows of a retired parent."""

    versions: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Paths in a record to texts that only grow, the weightiest first: they order two states where time cannot."""

    async def starts(self, client: Client) -> Sequence[Cursor]:
        """Where a full read begins: one cursor for each part that can be read by itself."""
        del client
        return [{}]

    @abstractmethod
    def pages(self, client: Client, cursor: Cursor) -> AsyncIterator[Page]:
        """Read everything from *cursor* on, lazily: a request is sent only when the next page is asked for."""

    def split(self, cursor: Cursor) -> tuple[Cursor, Cursor] | None:
        """Two cursors that together read what *cursor* would, to be read side by side; None where that cannot help."""
        del cursor
        return None

    @abstractmethod
    async def read(self, client: Client, key: Key) -> bytes | None:
        """The record as it is now, or None when the provider itself says that it is gone."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account some credentials open."""

    external_account_id: str
    name: str
    mode: Mode = "live"


class Connector(ABC):
    """One provider. Found by its folder's name; `connector` in the folder's `__init__` is the instance."""

    name: ClassVar[str]
    title: ClassVar[str]
    mark: ClassVar[str] = ""
    """One or two letters that stand for it where there is no room for its title; empty: the title's first."""
    streams: ClassVar[tuple[Stream, ...]]
    credential_fields: ClassVar[tuple[str, ...]]
    """What is stored encrypted: `api_key` first for connectors that take one."""
    live_reads: ClassVar[tuple[LiveRead, ...]] = ()
    """What can be asked of the provider beside the tables."""
    actions: ClassVar[tuple[Action, ...]] = ()
    """What can be done at the provider."""
    webhooks: ClassVar["Webhooks | None"] = None
    push: ClassVar["Push | None"] = None
    """How it is asked to push; None where that is set up at the provider by hand, or not at all."""

    def stream(self, name: str) -> Stream:
        """The stream of that name, or LookupError."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise LookupError(f"{self.title} has no stream {name!r}; it has {', '.join(s.name for s in self.streams)}")

    @abstractmethod
    def open(self, session: Session) -> AbstractAsyncContextManager[Client]:
        """A client that speaks for one account."""

    @abstractmethod
    async def identify(self, client: Client) -> Account:
        """Whose credentials these are, asked of the provider."""

    @abstractmethod
    async def change_cursor(self, client: Client) -> Cursor:
        """Where the change feed stands now; taken before the first page of a full read."""

    @abstractmethod
    def changes(self, client: Client, cursors: Mapping[str, Cursor]) -> AsyncIterator[Change]:
        """What changed in each named stream since its cursor, oldest first.

        Raises CursorExpired, with the streams concerned, before anything else when a cursor is too old to go on from.
        """

    def changes_of(
        self, client: Client, subjects: Sequence[str], cursors: Mapping[str, Cursor]
    ) -> AsyncIterator[Change]:
        """The same of at least these subjects, which webhooks have named."""
        del subjects
        return self.changes(client, cursors)
