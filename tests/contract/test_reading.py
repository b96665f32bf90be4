"""How every connector reads: lazily, completely, from any cursor, and every request in the book."""

import json

import pytest

from connectors.registry import get
from tests.contract.conftest import STREAMS


@pytest.fixture
def connector(request):
    return get(request.param)


def each_stream(test):
    """Once for every stream of every connector."""
    return pytest.mark.parametrize(("connector", "stream"), STREAMS, indirect=["connector"])(test)


async def read(stream, client, cursor):
    return [page async for page in stream.pages(client, cursor)]


async def parts(stream, client):
    """The pages of each part of a full read."""
    return [await read(stream, client, start) for start in await stream.starts(client)]


async def longest(stream, client):
    """Where the part with the most pages starts."""
    starts = await stream.starts(client)
    sizes = [len(await read(stream, client, start)) for start in starts]
    return starts[sizes.index(max(sizes))]


def by_key(stream, records):
    return {tuple(json.loads(record)[part] for part in stream.key): json.loads(record) for record in records}


@each_stream
async def test_a_full_read_brings_everything(connector, stream, account, client, throttle, records):
    """Every record is there once and whole; each request was throttled, recorded and came lazily."""
    declared = connector.stream(stream)
    account.fill(declared, int(2.5 * account.longest_page(declared)))
    account.forget()

    read_parts = await parts(declared, client)

    pages = [page for part in read_parts for page in part]
    got = [record for page in pages for record in page.records]
    truth = account.truth(declared)
    assert len(got) == len(truth)
    assert by_key(declared, got) == {key: json.loads(body) for key, body in truth.items()}
    for part in read_parts:
        assert [page.cursor is None for page in part] == [False] * (len(part) - 1) + [True]
    assert account.requests() == len(records) == len(throttle.taken) >= len(pages)
    assert all(record.connector == connector.name and record.error is None for record in records)
    assert all("?" not in record.route and "=" not in record.route for record in records)
    assert all(buckets and all(bucket.connector == connector.name for bucket in buckets) for buckets in throttle.taken)


@each_stream
async def test_pages_come_lazily(connector, stream, account, client):
    """Nothing is sent before a page is asked for, and no page is read ahead."""
    declared = connector.stream(stream)
    if stream in getattr(account, "unpaged", ()):
        pytest.skip("a list of one page")
    account.fill(declared, 3 * account.longest_page(declared))
    start = await longest(declared, client)
    account.forget()
    pages = declared.pages(client, start)
    assert account.requests() == 0

    await anext(pages)
    first = account.requests()
    await anext(pages)

    assert 0 < first < account.requests()
    await pages.aclose()


@each_stream
async def test_a_read_goes_on_from_any_cursor(connector, stream, account, client):
    """A cursor survives JSON, and from each the rest follows."""
    declared = connector.stream(stream)
    account.fill(declared, 3 * account.longest_page(declared))
    pages = await read(declared, client, await longest(declared, client))

    for place, page in enumerate(pages[:-1], 1):
        rest = await read(declared, client, json.loads(json.dumps(page.cursor)))
        assert [list(found.records) for found in rest] == [list(found.records) for found in pages[place:]]


@each_stream
async def test_slices_cover_the_window(connector, stream, account, client):
    """The two parts of a split bring together what the whole would have brought, nothing twice."""
    declared = connector.stream(stream)
    account.fill(declared, 6 * account.longest_page(declared))
    waiting, got, splits = list(await declared.starts(client)), [], 0
    while waiting:
        cursor = waiting.pop()
        while cursor is not None:
            page = await anext(declared.pages(client, cursor))
            got += page.records
            cursor = page.cursor
            if cursor is not None and splits < 5 and (halves := declared.split(cursor)):
                splits += 1
                cursor, older = halves
                waiting.append(older)

    truth = account.truth(declared)
    assert len(got) == len(truth)
    assert set(by_key(declared, got)) == set(truth)


@each_stream
async def test_one_record_by_its_key(connector, stream, account, client):
    """A record is read as it is; a deleted one, and one that never was in its scope, is none."""
    declared = connector.stream(stream)
    key = account.create(declared)

    found = await declared.read(client, key)
    assert json.loads(found) == json.loads(account.truth(declared)[key])

    if account.delete(declared, key) is not False:  # some providers delete none of a kind
        assert await declared.read(client, key) is None
    for never in (f"{key[-1]}_never", "..\"'; drop table x;%2f?a=b#c\n☃"):
        assert await declared.read(client, (*key[:-1], never)) is None
