"""How every connector fails: by reaction, with a sentence, telling nothing that is secret."""

import time

import pytest

from connectors.errors import Broken, ConnectorError, RateLimited, Reconnect, Refused, Unavailable
from connectors.session import Session


@pytest.fixture
def first(connector):
    return connector.streams[0]


KINDS = {
    "unauthorized": (Reconnect, 1),
    "forbidden": (Refused, 1),
    "down": (Unavailable, None),
    "limited": (RateLimited, 1),
    "bare 404": (Unavailable, None),
    "redirect": (Broken, 1),
    "html": (Unavailable, None),
    "cut": (Unavailable, None),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_failure_has_its_reaction(kind, connector, account, client, records, first):
    """Lists and single records fail alike: by class, with a sentence for the user, every attempt in the book."""
    error, attempts = KINDS[kind]
    account.fill(first, 10)
    key = account.create(first)
    start = (await first.starts(client))[0]
    account.forget()
    account.hurt(kind)

    for work in (lambda: anext(first.pages(client, start)), lambda: first.read(client, key)):
        records.clear()
        with pytest.raises(error) as caught:
            await work()
        assert len(records) == attempts or (attempts is None and len(records) > 1)
        assert all(record.error for record in records)
        assert connector.title in str(caught.value)
        assert str(caught.value).endswith(".")
        assert not [secret for secret in account.credentials.values() if secret in str(caught.value)]
        assert caught.value.retry is isinstance(caught.value, (RateLimited, Unavailable))

    account.heal()
    assert await first.read(client, key) is not None


@pytest.mark.parametrize("kind", ["circle", "empty pages"])
async def test_a_list_without_end_is_left(kind, connector, account, client, first):
    """The same page again and again, and empty pages that promise more, stop the read after three of them."""
    lists = getattr(account, "lists", account.requests)  # records that are read one by one do not count
    account.fill(first, 2 * account.longest_page(first))
    start = (await first.starts(client))[0]
    account.forget()
    account.hurt(kind)

    with pytest.raises(Broken, match="no end"):
        async for _ in first.pages(client, start):
            pass

    assert lists() <= 4


async def test_a_pause_is_told_to_everybody(connector, account, client, throttle, first):
    """Too many requests pause their buckets for as long as the provider said."""
    start = (await first.starts(client))[0]
    throttle.taken.clear()
    account.hurt("limited")

    with pytest.raises(RateLimited) as caught:
        await anext(first.pages(client, start))

    assert caught.value.seconds == 3600
    ((buckets, seconds),) = throttle.paused
    assert seconds == 3600
    assert set(buckets) <= set(throttle.taken[0])


async def test_whose_credentials_these_are(connector, account, client):
    """The provider says whose account it is, in which mode."""
    found = await connector.identify(client)

    assert (found.external_account_id, found.mode) == (account.external_account_id, account.mode)
    assert found.name


@pytest.mark.parametrize("value", ["", "x", "a\r\nb: c", "ключ", "\x00"])
async def test_credentials_that_are_none(value, connector, account, throttle):
    """What cannot be a credential is refused before anything is sent, or by the provider, and never repeated."""
    credentials = dict.fromkeys(account.credentials, value)
    session = Session(credentials, "", account.mode, throttle, lambda _: None, time.monotonic() + 5)

    with pytest.raises(ConnectorError) as caught:
        async with connector.open(session) as client:
            await connector.identify(client)

    assert isinstance(caught.value, Reconnect)
    assert value in {"", "x"} or value not in str(caught.value)
