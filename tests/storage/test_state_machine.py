"""Whatever is read, written late, lost in a crash or deleted, in whatever order: the copy ends right."""

import asyncio
import os
import random
import time
from collections import Counter

from tests.fixtures.sizes import size
from tests.storage.interleaving import Interleaving

SEED = int(os.environ.get("INTERLEAVING_SEED", "1"))
RUNS = int(os.environ.get("INTERLEAVING_RUNS", size(50, 150)))
STEPS = 120
AT_ONCE = 4
MUST_BE_MET = {
    "full read in one",
    "full read in parts",
    "full read finished",
    "crash within a full read",
    "zombie fenced off",
    "absentees asked",
    "absentees alive",
    "read again",
    "older state kept out",
    "older state kept out after a page that found it equal",
    "older state kept out after an id that found it equal",
    "older state kept out after a list that found it equal",
    "written by somebody else",
    "older state kept out after an id that found it changed",
    "older state kept out of a tombstone or an absence",
    "older deletion kept off a row",
    "newer state not trusted, to be read again",
    "several states in one transaction",
}


async def test_the_copy_ends_equal_to_the_provider(shop, capsys):
    """After hundreds of runs in orders drawn by chance, all dangerous ones among them, every copy ends right."""
    begun = time.monotonic()
    met = Counter()
    turns = iter(range(SEED * 1_000_000, SEED * 1_000_000 + RUNS))

    async def some():
        for number in turns:
            await one_run(shop, number, met)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))

    with capsys.disabled():
        told = ", ".join(f"{count} {order}" for order, count in met.most_common())
        print(f"\n{RUNS} interleavings, seed {SEED}, {time.monotonic() - begun:.0f} s: {told}")
    assert {order for order, count in met.items() if count} >= MUST_BE_MET


async def one_run(db, number, met):
    interleaving = Interleaving(db, random.Random(number), met)
    try:
        await interleaving.start()
        for _ in range(STEPS):
            await interleaving.step()
        await interleaving.come_to_rest()
    except AssertionError as error:
        error.add_note(f"run {number}:\n" + "\n".join(interleaving.trace))
        raise
