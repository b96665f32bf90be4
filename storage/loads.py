"""What the loader is given, and what it counts."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Self
from uuid import UUID

from storage.checkpoints import Statement
from storage.tables import StreamTable

RECORDS = 500
"""Records that one statement writes at most: enough that its fixed cost does not count, few enough to stay brief."""
BYTES = 4 * 1024 * 1024
"""The same for their size."""


KEY_BYTES = 2_400
"""A key's text that is longer names no row: with all else in an entry of a B-tree, 2,704 bytes is the most."""


def can_name_a_row(key: str) -> bool:
    """Whether Postgres can keep the key at all: a provider may name anything."""
    try:
        return 0 < len(key.encode()) <= KEY_BYTES and "\x00" not in key
    except UnicodeEncodeError:  # a lone surrogate
        return False


@dataclass(frozen=True, slots=True)
class Told:
    """A record that an event carried, as it was at `at` by the provider's clock in Unix seconds.

    `made`: it was just made, so nothing older can be known of it. `gone`: it is deleted, for good.
    """

    record: bytes
    at: float
    made: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """Something to be committed for one stream: records, deletions, and the checkpoint that covers them.

    `note` is the connection's counter as it stood before the request that brought this was sent. `read_by_id` are the
    keys of records that were asked for one by one: they leave a mark even where nothing changed, and settle what was
    to be read again. `touched` keys are to be read by id. `cancelled` are records that are gone, with what is left of
    them. `told` are records that events carried. `after` runs in the same transaction, last.
    """

    table: StreamTable
    note: int
    records: Sequence[bytes] = ()
    deleted: Sequence[str] = ()
    cancelled: Sequence[bytes] = ()
    touched: Sequence[str] = ()
    read_by_id: Sequence[str] = ()
    full_read: UUID | None = None
    read_between: tuple[float, float] | None = None
    """When the provider made it, by its own clock in Unix seconds."""
    told: Sequence[Told] = ()
    after: Sequence[Statement] = ()
    read_at: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        """Bytes of its records."""
        return sum(map(len, self.records)) + sum(map(len, self.cancelled)) + sum(len(one.record) for one in self.told)

    @property
    def plain(self) -> bool:
        """Nothing but records, so that it may be written in one statement with its neighbours."""
        return not (self.deleted or self.cancelled or self.touched or self.read_by_id or self.told)

    def pieces(self) -> Iterator["Load"]:
        """The same in pieces that one statement can take; the last one has all that belongs to the whole."""
        if len(self.records) <= RECORDS and sum(map(len, self.records)) <= BYTES:
            yield self
            return
        piece: list[bytes] = []
        size = 0
        for record in self.records:
            if piece and (len(piece) == RECORDS or size + len(record) > BYTES):
                yield replace(
                    self, records=piece, deleted=(), cancelled=(), touched=(), read_by_id=(), told=(), after=()
                )
                piece, size = [], 0
            piece.append(record)
            size += len(record)
        yield replace(self, records=piece)


@dataclass(slots=True)
class Counts:
    """What became of the records that were read: read = written + unchanged + rejected."""

    read: int = 0
    written: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: int = 0
    altered: int = 0

    def __iadd__(self, other: "Counts") -> Self:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self

    def as_json(self) -> dict[str, int]:
        """The six figures by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}
