"""What one Stripe account holds in one mode: its objects in their order, its events, its clock, limits and faults."""

import string
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.ledger import Ledger, Write
from sandbox.stripe.kinds import KINDS, NESTED, Kind, Object, facets
from sandbox.stripe.limits import Limits
from sandbox.stripe.versions import NEWEST

NESTED_SHOWN = 10  # "you only get 10 lines at most": stripe-php#1400
_ALPHABET = string.ascii_letters + string.digits

Place = tuple[int, int, str]
"""Where an object stands: created, then the order of arrival, then its id."""


@dataclass(slots=True)
class Record:
    """One object as bytes: `full` with complete nested lists, `shown` as an answer gives it."""

    id: str
    place: Place
    full: bytes
    shown: bytes
    facets: Object
    listed: bool = True
    visible_at: float = 0.0

    def load(self) -> Object:
        """The whole object."""
        return orjson.loads(self.full)  # type: ignore[no-any-return]


class Shelf:
    """The objects of one stream, in order."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.records: dict[str, Record] = {}
        self.order: list[Place] = []
        self.deleted: dict[str, Place] = {}

    def put(self, record: Record) -> None:
        """Keep *record* in place of what had its id."""
        self.take(record.id)
        self.deleted.pop(record.id, None)
        self.records[record.id] = record
        insort(self.order, record.place)

    def take(self, key: str) -> Record | None:
        """Remove the object and give it back."""
        record = self.records.pop(key, None)
        if record is not None:
            del self.order[bisect_left(self.order, record.place)]
            self.deleted[key] = record.place
        return record

    def listed(self) -> Iterator[Record]:
        """What a list of everything would show, newest first."""
        for place in reversed(self.order):
            record = self.records[place[2]]
            if record.listed:
                yield record


@dataclass
class Store:
    """One account in one mode."""

    account: str
    mode: str
    ledger: Ledger
    api_version: str = NEWEST
    """The account's default version, in which its events are rendered."""
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=Faults)
    latency: float = 0.0
    event_delay: tuple[float, float] = (0.0, 0.0)
    """Events are seen this many seconds after they happened; drawn anew for each, so that they overtake each other."""
    deleted_cursors: bool = False
    """Whether a list goes on behind a deleted object; refusing is the harder of the two things Stripe might do."""
    random: Random = field(default_factory=Random)
    listeners: list[Callable[[Object], None]] = field(default_factory=list)
    """Told of every event."""

    def __post_init__(self) -> None:
        self.shelves = {stream: Shelf(kind) for stream, kind in KINDS.items()}
        self.limits = Limits.published(self.mode)
        self.idempotency: dict[str, Any] = {}
        self._arrivals = 0

    @property
    def live(self) -> bool:
        return self.mode == "live"

    def now(self) -> int:
        """The account's time in the whole seconds that Stripe counts in."""
        return int(self.clock.now())

    def new_id(self, prefix: str) -> str:
        """An id as Stripe makes them: it says nothing about order."""
        return prefix + "".join(self.random.choices(_ALPHABET, k=14))

    def find(self, stream: str, key: str) -> Object | None:
        """The object with that id as it is now."""
        record = self.shelves[stream].records.get(key)
        return record.load() if record else None

    def put(self, stream: str, obj: Object, by: str, change: str) -> Record:
        """Keep *obj*; a new one comes behind those of the same second."""
        old = self.shelves[stream].records.get(obj["id"])
        seq = old.place[1] if old else self.arrive()
        record = self.record(stream, obj, seq)
        self.shelves[stream].put(record)
        self.note(stream, obj["id"], by, change)
        return record

    def record(self, stream: str, obj: Object, seq: int) -> Record:
        """*obj* made ready to be kept."""
        full = orjson.dumps(obj)
        kind = KINDS[stream]
        created = obj.get("created")
        place = (created if isinstance(created, int) else self.now(), seq, obj["id"])
        listed = not obj.get("test_clock")
        return Record(obj["id"], place, full, _shown(stream, obj, full), facets(kind, obj), listed)

    def put_raw(self, stream: str, key: str, body: bytes, created: int | None = None) -> None:
        """Keep bytes as a list and a retrieve will give them, whatever they are."""
        place = (self.now() if created is None else created, self.arrive(), key)
        self.shelves[stream].put(Record(key, place, body, body, {}))
        self.note(stream, key, "control", "raw")

    def remove(self, stream: str, key: str, by: str) -> Object | None:
        """Take the object away; what it was last."""
        record = self.shelves[stream].take(key)
        if record is None:
            return None
        self.note(stream, key, by, "deleted")
        return record.load()

    def arrive(self) -> int:
        """The next number in the order of arrival."""
        self._arrivals += 1
        return self._arrivals

    def note(self, stream: str, key: str, by: str, change: str) -> None:
        """Write a change into the ledger."""
        write = Write(self.clock.now(), "stripe", self.account, self.mode, by, change, stream, key)
        self.ledger.writes.append(write)


def _shown(stream: str, obj: Object, full: bytes) -> bytes:
    inner = obj.get(NESTED.get(stream, ""))
    if not isinstance(inner, dict) or len(inner.get("data", ())) <= NESTED_SHOWN:
        return full
    cut = inner | {"data": inner["data"][:NESTED_SHOWN], "has_more": True}
    return orjson.dumps(obj | {NESTED[stream]: cut})
