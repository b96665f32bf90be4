"""The units of one bucket that this process may spend."""

import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from tasks.throttle.pace import Pace


@dataclass(slots=True)
class Block:
    """Units that come due one by one from *start* on; the first *spent* of them are gone."""

    start: float
    units: int
    spent: int = 0


class Found(NamedTuple):
    """Units that can be spent at *when*: all that are left up to the first *spent* of *block*."""

    when: float
    block: Block
    spent: int


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
        found = self.find(now, cost)
        return found.when if found else None

    def spend(self, found: Found) -> None:
        """These units are spent, and those that were older have lapsed."""
        while self._blocks[0] is not found.block:
            self._blocks.popleft()
        found.block.spent = found.spent

    def find(self, now: float, cost: int) -> Found | None:
        """The next *cost* units that have not lapsed by *now*."""
        self._dearest = max(self._dearest, cost)
        oldest = now - self._pace.patience(cost)
        spacing = self._pace.spacing
        need = cost
        for block in self._blocks:
            first = max(block.spent, _index(oldest, block, spacing))
            left = block.units - first
            if left >= need:
                return Found(max(now, block.start + (first + need - 1) * spacing), block, first + need)
            need -= max(left, 0)
        return None


def _index(oldest: float, block: Block, spacing: float) -> int:
    """The first unit of the block that is not older than that."""
    return 0 if oldest <= block.start else math.ceil((oldest - block.start) / spacing)
