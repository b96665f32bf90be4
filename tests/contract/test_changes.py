"""How every connector tells what changed: everything once, nothing at all when nothing did."""

import json

import pytest

from connectors.errors import CursorExpired


async def changes(connector, client, cursors):
    return [change async for change in connector.changes(client, cursors)]


def named(found, stream):
    """The keys that a stream's changes name, in whatever way."""
    pages = [change.page for change in found if change.stream == stream.name]
    keys = {tuple(key) for page in pages for key in [*page.touched, *page.deleted]}
    return keys | {tuple(json.loads(record)[part] for part in stream.key) for page in pages for record in page.records}


def last_cursors(cursors, found):
    moved = {change.stream: change.page.cursor for change in found if change.page.cursor is not None}
    return json.loads(json.dumps(cursors | moved))


@pytest.fixture
async def cursors(connector, account, client):
    """The change cursors after a full read: what stood before it, with what its pages taught."""
    cursor = await connector.change_cursor(client)
    return {stream.name: json.loads(json.dumps(cursor | await learned(stream, client))) for stream in connector.streams}


async def learned(stream, client):
    found = {}
    for start in await stream.starts(client):
        async for page in stream.pages(client, start):
            found |= page.learned or {}
    return found


async def test_every_change_is_named(connector, account, client, cursors):
    """What is created, updated and deleted after the cursor was taken is named in its own stream."""
    expected = {}
    for stream in connector.streams:
        kept, gone = account.create(stream), account.create(stream)
        account.update(stream, kept)
        account.delete(stream, gone)
        expected[stream.name] = {kept, gone}

    found = await changes(connector, client, cursors)

    for stream in connector.streams:
        left = {key for key in expected[stream.name] if key in account.truth(stream)}
        assert left <= named(found, stream), stream.name
    assert {change.stream for change in found} <= set(cursors)


async def test_what_was_told_is_not_told_again(connector, account, client, cursors):
    """From the cursors that came with the changes on, the same changes do not come as touched keys once more."""
    for stream in connector.streams:
        account.create(stream)
    first = await changes(connector, client, cursors)

    second = await changes(connector, client, last_cursors(cursors, first))

    assert [key for change in second for key in change.page.touched] == []


async def test_only_the_streams_asked_for(connector, account, client, cursors):
    """A stream that was not asked about does not come."""
    wanted = connector.streams[0]
    for stream in connector.streams:
        account.create(stream)

    found = await changes(connector, client, {wanted.name: cursors[wanted.name]})

    assert {change.stream for change in found} == {wanted.name}


async def test_an_idle_run_is_cheap(connector, account, client, cursors):
    """Nothing new costs no more requests than the connector's documents allow."""
    account.forget()

    found = await changes(connector, client, cursors)

    assert account.requests() <= account.idle_requests
    assert all(not change.page.touched for change in found)
    assert {change.stream for change in found if change.page.records} <= account.read_anew


async def test_a_cursor_that_is_too_old(connector, account, client, cursors):
    """The streams concerned are named before anything else comes."""
    if account.expired_cursor is None:
        pytest.skip("no feed of this connector expires as a whole")
    old = connector.streams[0].name
    with pytest.raises(CursorExpired) as caught:
        await changes(connector, client, cursors | {old: account.expired_cursor})

    assert caught.value.streams == (old,)
