"""A sync of a mailbox that is killed between any two requests loses nothing and repeats little."""

import pytest

from tests.fixtures.syncing import held, until


@pytest.mark.parametrize("full", [True, False])
async def test_killed_while_an_answer_is_awaited(google, mail_sync, mail_copies, full):
    """At four points one after the other, with changes between; the next whole sync has everything, each once."""
    google.load(messages=300)
    if not full:
        await mail_sync()
    kills = 0
    for seed, point in enumerate((0, 2, 140, 60) if full else (0, 1, 3, 6)):
        google.shake(seed, 12, service="gmail")
        google.fault("hold", after=point, times=1, seconds=30)
        under_way = await mail_sync.start(full=full and seed == 0)
        await held(google, under_way)
        under_way.kill()
        kills += await under_way.result() is None
        google.lift()
    assert kills > 1  # a run that has little left to read may end before the point

    await mail_sync()
    await mail_sync()

    mail_copies.hold()


async def test_what_was_stored_is_not_read_again(google, mail_sync, mail_copies):
    """After a kill in the third page of messages the first two are not asked for once more."""
    google.load(messages=300)
    google.fault("hold", "users.messages.get", after=250, times=1, seconds=30)
    under_way = await mail_sync.start(full=True)
    await until(lambda: not google.faults(), "the held request")
    stored = set(mail_copies.rows())
    under_way.kill()
    assert await under_way.result() is None
    google.lift()
    google.forget_ledger()

    await mail_sync()

    assert len(google.requests("users.messages.get")) <= 300 - len(stored)
    assert google.requests("users.messages.list") == [] or not stored
    mail_copies.hold()
