"""The units of one bucket that this process may spend."""

import math
from collections import deque
from dataclasses import dataclass

from tasks.throttle.pace import Pace


@dataclass(slots=True)
class Block:
    """Units that come due one by one from *start* on; the first *spent* of them are gone."""

    start: float
    units: int
    spent: int = 0


class Supply:
    """Blocks in the order of time. No clock of its own: every question says when it is asked."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._blocks: deque[Block] = deque()
        self._dearest = 1

    def add(self, start: float, units: int) -> None:
        self._blocks.append(Block(start, units))
        while len(self._blocks) > 2 + self._dearest // self._pace.block:
            self._blocks.popleft()

    def when(self, now: float, cost: int) -> float | None:
        """The earliest moment, not before *now*, at which *cost* units can be spent; None if there are not so many."""
        found = self._find(now, cost)
        return found[0] if found else None

    def take(self, now: float, cost: int) -> None:
        """*cost* units are spent, and those that were older have lapsed. Only after `when` said now."""
        found = self._find(now, cost)
        if found is None:
            raise AssertionError
        _, last, spent = found
        while self._blocks[0] is not last:
            self._blocks.popleft()
        last.spent = spent

    def _find(self, now: float, cost: int) -> tuple[float, Block, int] | None:
        self._dearest = max(self._dearest, cost)
        oldest = now - self._pace.patience(cost)
        spacing = self._pace.spacing
        need = cost
        for block in self._blocks:
            first = max(block.spent, _index(oldest, block, spacing))
            left = block.units - first
            if left >= need:
                return max(now, block.start + (first + need - 1) * spacing), block, first + need
            need -= max(left, 0)
        return None


def _index(oldest: float, block: Block, spacing: float) -> int:
    """The first unit of the block that is not older than that."""
    return 0 if oldest <= block.start else math.ceil((oldest - block.start) / spacing)
