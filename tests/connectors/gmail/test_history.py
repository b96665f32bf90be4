"""What changed in a mailbox: additions, deletions and labels by its history, the list of labels whole."""

import pytest

from connectors.errors import Broken, CursorExpired, Unavailable
from connectors.gmail import connector
from tests.connectors.conftest import collect, http
from tests.connectors.gmail.conftest import ME, refused, told

SINCE = {"messages": {"history": "90"}}


async def changes(mailbox, cursors=SINCE):
    return await collect(connector.changes(mailbox, cursors))


async def test_where_a_full_read_begins(gmail, mailbox):
    """The change cursor is the profile's history id, and the account is the mailbox's address."""
    assert await connector.change_cursor(mailbox) == {"history": "100"}
    assert (await connector.identify(mailbox)).external_account_id == ME


async def test_additions_deletions_and_labels(gmail, mailbox, provider):
    """Added and relabelled messages are to be read, deleted ones are gone; of each message the last word counts."""
    gmail.history["90"] = [
        [told(91, "messagesAdded", "a", "b"), told(92, "labelsAdded", "c"), {"id": "93", "messages": [{"id": "z"}]}],
        [told(94, "messagesDeleted", "b", "d"), told(95, "labelsRemoved", "c", "e")],
    ]
    gmail.newest = 95

    first, second = await changes(mailbox)

    assert (first.page.touched, first.page.deleted, first.page.cursor) == ([("a",), ("b",), ("c",)], [], None)
    assert (second.page.touched, second.page.deleted) == ([("c",), ("e",)], [("b",), ("d",)])
    assert second.page.cursor == {"history": "95"}
    assert [asked.query.get("pageToken") for asked in provider.asked] == [None, "1"]


@pytest.mark.parametrize(("newest", "cursor"), [(100, "100"), (91, "95"), (80, "95")])
async def test_the_cursor_passes_over_nothing(newest, cursor, gmail, mailbox):
    """It moves to where the history stood at the first page, or to what was told after that, and never back."""
    gmail.history["90"] = [[told(95, "messagesAdded", "a")]]
    gmail.newest = newest

    (change,) = await changes(mailbox)

    assert change.page.cursor == {"history": cursor}


async def test_nothing_new(gmail, mailbox):
    """An idle mailbox costs one request, and its cursor moves on: an old one would expire."""
    (change,) = await changes(mailbox)

    assert (change.page.touched, change.page.deleted, change.page.cursor) == ([], [], {"history": "100"})


@pytest.mark.parametrize("page", [None, "1"])
async def test_a_history_that_is_too_old(page, gmail, mailbox):
    """A 404 from the history means that the messages are read in full; it is told before labels come."""
    gmail.history["90"] = [[told(91, "messagesAdded", "a")], []]
    gmail.refusals["history", page] = refused(404, "notFound")
    found = []

    async def read():
        async for change in connector.changes(mailbox, {**SINCE, "labels": {"history": "90"}}):
            found.append(change.stream)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(CursorExpired) as caught:
        await read()

    assert caught.value.streams == ("messages",)
    assert set(found) <= ({"messages"} if page else set())


@pytest.mark.parametrize("said", [http(b"gone", 404), http({"history": []}), http({"historyId": "x"}), http({})])
async def test_what_is_no_history(said, gmail, mailbox):
    """A bare 404 and an answer without a history id are faults: no cursor moves and nothing expires."""
    gmail.refusals["history", None] = said

    with pytest.raises(Unavailable):
        await changes(mailbox)


async def test_a_history_without_end(gmail, mailbox, provider):
    """The same page again and again is left after a few requests."""
    provider.answer = lambda asked: http(
        {"history": [told(91, "messagesAdded", "a")], "historyId": "9", "nextPageToken": "x"}
    )

    with pytest.raises(Broken, match="no end"):
        await changes(mailbox)

    assert len(provider.asked) <= 5


async def test_odd_entries_of_history(gmail, mailbox):
    """Entries without a message, and members that are not what they should be, name nothing and stop nothing."""
    odd = {"id": 7, "messagesAdded": [{}, {"message": None}, {"message": {"id": 3}}, 5], "labelsAdded": "x"}
    gmail.history["90"] = [[odd, told(91, "messagesDeleted", "a")]]

    (change,) = await changes(mailbox)

    assert (change.page.touched, change.page.deleted) == ([], [("a",)])


async def test_labels_are_read_whole(gmail, mailbox, provider):
    """All labels come with a window: one that is not among them is gone. No other stream is asked for."""
    gmail.labels.append({"id": "Label_1", "name": "Bills", "type": "user"})

    (change,) = await changes(mailbox, {"labels": {"history": "90"}})

    assert change.window.keys == {("INBOX",), ("Label_1",)}
    assert (change.window.scope, change.page.cursor, len(change.page.records)) == (None, None, 2)
    assert len(provider.asked) == 1


async def test_no_labels_at_all(gmail, mailbox):
    """A list without Gmail's own labels is no list: nothing may be retired by it."""
    gmail.labels = []

    with pytest.raises(Unavailable):
        await changes(mailbox, {"labels": {"history": "90"}})
