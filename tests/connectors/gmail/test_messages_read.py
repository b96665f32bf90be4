"""How messages are read: ids page by page, each message by its id, and nothing twice."""

import json

import pytest

from connectors.errors import Broken, Refused, Unavailable
from connectors.gmail.messages import MESSAGES_A_PAGE, Messages
from tests.connectors.conftest import collect, http
from tests.connectors.gmail.conftest import mail, refused

STREAM = Messages()


def ids_of(pages):
    return [json.loads(record)["id"] for page in pages for record in page.records]


async def test_all_messages_in_their_order(gmail, mailbox, provider):
    """Every message comes once, in the order of the list, whole and with spam and trash."""
    wanted = [f"{n:x}" for n in range(250)]
    for each in wanted:
        gmail.put(each)
    gmail.page = 120

    pages = await collect(STREAM.pages(mailbox, {}))

    assert ids_of(pages) == wanted
    assert all(len(page.records) <= MESSAGES_A_PAGE for page in pages)
    assert [page.cursor is None for page in pages] == [False] * (len(pages) - 1) + [True]
    lists = [asked for asked in provider.asked if asked.path.endswith("/messages")]
    assert [asked.query.get("pageToken") for asked in lists] == [None, "120", "240"]
    assert {(asked.query["includeSpamTrash"], asked.query["maxResults"]) for asked in lists} == {("true", "500")}
    assert all(asked.query == {"format": "full", "alt": "json"} for asked in provider.asked if asked not in lists)


async def test_a_cursor_needs_no_list_that_stays_the_same(gmail, mailbox):
    """What is not yet read of a page is in its cursor: messages that come or go meanwhile hide none."""
    for n in range(250):
        gmail.put(f"{n:x}")
    first = await anext(STREAM.pages(mailbox, {}))
    kept = list(gmail.mails)[MESSAGES_A_PAGE:]
    gmail.mails = {"f1": mail("f1")} | {each: gmail.mails[each] for each in kept}

    rest = await collect(STREAM.pages(mailbox, json.loads(json.dumps(first.cursor))))

    assert ids_of(rest) == kept


async def test_a_message_that_is_gone_by_now(gmail, mailbox):
    """A message that was listed and is not found is deleted, and the rest of its page is there."""
    for each in ("a", "b", "c"):
        gmail.put(each)
    gmail.refusals["messages/b", None] = refused(404, "notFound")

    (page,) = await collect(STREAM.pages(mailbox, {}))

    assert ids_of([page]) == ["a", "c"]
    assert page.deleted == [("b",)]


@pytest.mark.parametrize("said", [http(b"Not Found", 404), http(b"<html>", 404), http({"id": "other"}), http(b"[1]")])
async def test_what_is_no_answer_deletes_nothing(said, gmail, mailbox):
    """A 404 that is not Google's own, another message and what is no message are faults, never a deletion."""
    gmail.put("a")
    gmail.refusals["messages/a", None] = said

    with pytest.raises(Unavailable):
        await collect(STREAM.pages(mailbox, {}))
    with pytest.raises(Unavailable):
        await STREAM.read(mailbox, ("a",))


async def test_one_failure_ends_the_page(gmail, mailbox):
    """A message that may not be read is told by its own error, not by a group of them, and no page comes."""
    for n in range(30):
        gmail.put(f"{n:x}")
    gmail.refusals["messages/7", None] = refused(403, "insufficientPermissions")

    with pytest.raises(Refused):
        await collect(STREAM.pages(mailbox, {}))


async def test_an_empty_mailbox(gmail, mailbox):
    """A mailbox without messages is read with one request."""
    (page,) = await collect(STREAM.pages(mailbox, {}))

    assert (page.records, page.cursor) == ([], None)


@pytest.mark.parametrize("body", [{}, {"nextPageToken": "x"}, [], "null"])
async def test_what_is_no_list(body, gmail, mailbox):
    """An object that does not prove to be a list is no empty mailbox."""
    gmail.refusals["messages", None] = http(body)
    gmail.refusals["messages", "x"] = http(body)

    with pytest.raises((Unavailable, Broken)):
        await collect(STREAM.pages(mailbox, {}))


async def test_a_page_token_that_no_longer_holds(gmail, mailbox):
    """The list begins anew when Google does not know its own token any more; when that is no help it is an error."""
    for n in range(6):
        gmail.put(f"{n:x}")
    gmail.page = 3
    gmail.refusals["messages", "3"] = [refused(400, "invalidArgument")]

    assert ids_of(await collect(STREAM.pages(mailbox, {"page": "3"}))) == [f"{n:x}" for n in range(6)]

    gmail.refusals["messages", "3"] = refused(400, "invalidArgument")
    with pytest.raises(Broken):
        await collect(STREAM.pages(mailbox, {"page": "3"}))


async def test_halves_are_the_whole(gmail, mailbox):
    """The parts of a split bring what the whole would have brought; a cursor too small to share is not split."""
    for n in range(700):
        gmail.put(f"{n:x}")
    first = await anext(STREAM.pages(mailbox, {}))

    waiting, got = [first.cursor], list(ids_of([first]))
    while waiting:
        cursor = waiting.pop()
        if halves := STREAM.split(cursor):
            waiting += halves
        else:
            got += ids_of(await collect(STREAM.pages(mailbox, cursor)))

    assert sorted(got) == sorted(gmail.mails)
    assert STREAM.split({}) is None
    assert STREAM.split({"page": "1"}) is None


async def test_what_it_costs(gmail, mailbox, monkeypatch):
    """Each request takes as many units as Google's table says, of the account's limit and of the project's."""
    gmail.put("a")
    taken = []

    async def take(buckets, deadline):
        del deadline
        taken.append({bucket.name: bucket.units for bucket in buckets})

    monkeypatch.setattr(mailbox.session.throttle, "take", take)
    await collect(STREAM.pages(mailbox, {}))

    assert taken == [{"user": 5, "project": 5}, {"user": 20, "project": 20}]


async def test_ids_that_never_were(gmail, mailbox):
    """An id that Google calls invalid names no message; a sound one that it calls so is an error of ours."""
    for wanted in ("zz-never", "..\"'; drop table x;%2f?a=b#c\n☃"):
        gmail.refusals[f"messages/{wanted}", None] = refused(400, "invalidArgument")
        assert await STREAM.read(mailbox, (wanted,)) is None
    gmail.refusals["messages/ab", None] = refused(400, "invalidArgument")
    with pytest.raises(Broken):
        await STREAM.read(mailbox, ("ab",))
