"""Reads single records by their ids, several at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.errors import Broken
from storage.loads import Load
from tasks.keys import key_of
from tasks.side_by_side import each
from tasks.sync import Asked, Sync

AT_ONCE = 8


@dataclass(slots=True)
class Answers:
    """What became of the keys that were asked for. `gone` come with the connection's counter before they were."""

    gone: dict[str, int] = field(default_factory=dict)
    alive: int = 0
    failed: list[str] = field(default_factory=list)

    def retiring(self, sync: Sync, stream: str) -> Load:
        """The load that turns what is gone into tombstones."""
        return Load(sync.table(stream), min(self.gone.values(), default=0), deleted=list(self.gone))


async def ask_by_id(sync: Sync, stream: str, keys: Sequence[str]) -> Answers:
    """Each record as it is now is stored, or among the gone. One that makes no sense fails by itself.

    Keys are left out, neither stored nor failed, once the run's time is over.
    """
    answers = Answers()
    reader, table = sync.stream(stream), sync.table(stream)

    async def ask(key: str) -> None:
        if sync.source.out_of_time:
            return
        asked = Asked.now(sync.loader)
        try:
            record = await reader.read(sync.source.client, key_of(key, table.key))
        except Broken as broken:
            sync.failures.setdefault(stream, broken)
            answers.failed.append(key)
            return
        if record is None:
            answers.gone[key] = asked.note
        else:
            answers.alive += 1
            await sync.loader.add(Load(table, asked.note, records=[record], read_by_id=[key]))

    await each(keys, ask, at_once=AT_ONCE)
    return answers
