"""A list of Stripe is read to its end and no further, whatever happens to it meanwhile."""

import json

import pytest

from connectors.errors import Broken, ConnectorError
from tests.connectors.conftest import collect, http, page, refusal


def customer(number, created=None):
    return {
        "id": f"cus_{number}",
        "object": "customer",
        "created": 2_000_000_000 - number if created is None else created,
    }


def serving(everything, size=100):
    """The list of *everything*, newest first, by Stripe's rules."""
    places = {record["id"]: place for place, record in enumerate(everything)}

    def answer(asked):
        query = asked.query
        begin = 0
        if after := query.get("starting_after"):
            if after not in places:
                return refusal(400, "resource_missing", param="starting_after")
            begin = places[after] + 1
        low, below = int(query.get("created[gte]", 0)), int(query.get("created[lt]", 2**60))
        top = min(below - 1, int(query.get("created[lte]", 2**60)))
        window = [record for record in everything[begin:] if low <= record["created"] <= top]
        return page(window[:size], more=len(window) > size)

    return answer


def ids(pages):
    return [json.loads(record)["id"] for found in pages for record in found.records]


@pytest.fixture
def customers(stripe):
    return stripe.stream("customers")


async def test_pages_come_lazily(client, provider, customers):
    """A request is sent only when its page is asked for."""
    provider.answer = serving([customer(n) for n in range(1000)])
    pages = customers.pages(client, {})
    assert provider.asked == []

    await anext(pages)
    assert len(provider.asked) == 1
    await anext(pages)
    assert len(provider.asked) == 2
    await pages.aclose()


async def test_any_cursor_resumes(client, provider, customers):
    """From every cursor on the rest follows, and the last page has none."""
    provider.answer = serving([customer(n) for n in range(450)])
    pages = await collect(customers.pages(client, {}))

    assert ids(pages) == [f"cus_{n}" for n in range(450)]
    assert pages[-1].cursor is None
    for place, found in enumerate(pages[:-1], 1):
        assert ids(await collect(customers.pages(client, found.cursor))) == ids(pages[place:])


async def test_cancelled_subscriptions_are_listed(client, provider, stripe):
    """Subscriptions are asked for in every status."""
    await collect(stripe.stream("subscriptions").pages(client, {}))

    assert provider.asked[0].query["status"] == "all"


async def test_inactive_prices_are_listed(client, provider, stripe):
    """Active and inactive prices are two lists, read one after the other, each slice in both."""
    prices = [{**customer(n, created=1_700_000_000 - 997 * n), "active": n % 3 > 0} for n in range(1_000)]

    def answer(asked):
        return serving([price for price in prices if price["active"] is (asked.query["active"] == "true")])(asked)

    provider.answer = answer
    stream = stripe.stream("prices")

    first = await anext(stream.pages(client, {}))
    parts = stream.split(first.cursor)
    second = await anext(stream.pages(client, parts[0]))
    pages = [first, second]
    for part in (second.cursor, *(parts[1:])):
        pages += await collect(stream.pages(client, part))

    assert sorted(ids(pages)) == sorted(price["id"] for price in prices)


async def test_the_same_page_once_more(client, provider, customers):
    """A page that comes twice by accident is asked for again, and not stored twice."""
    truth = serving([customer(n) for n in range(300)])
    answers = []

    def stutter(asked):
        answers.append(answers[-1] if len(answers) == 1 else truth(asked))
        return answers[-1]

    provider.answer = stutter

    assert ids(await collect(customers.pages(client, {}))) == [f"cus_{n}" for n in range(300)]


def _same(asked):
    return page([customer(1), customer(2)], more=True)


def _circle(asked):
    following = {None: 1, "cus_1": 2, "cus_2": 3, "cus_3": 1}[asked.query.get("starting_after")]
    return page([customer(following)], more=True)


def _empty(asked):
    return page([], more=True)


@pytest.mark.parametrize("circle", [_same, _circle, _empty])
async def test_a_list_without_end_is_noticed(circle, client, provider, customers):
    """The same page, a circle of pages and an empty page with more to come stop the read after three times."""
    provider.answer = circle

    with pytest.raises(Broken, match="no end"):
        await collect(customers.pages(client, {}))

    places = [asked.query.get("starting_after") for asked in provider.asked]
    assert max(places.count(place) for place in places) <= 3
    assert len(provider.asked) <= 7


async def test_the_place_that_was_deleted(client, provider, customers):
    """When the record that the next page starts after is gone, the read goes on from its second."""
    everything = [customer(n, created=1_000 - n // 7) for n in range(500)]
    provider.answer = serving(everything)
    got = []
    async for found in customers.pages(client, {}):
        got.append(found)
        if len(got) in {1, 3}:
            provider.answer = serving(everything := [r for r in everything if r["id"] != found.cursor["after"]])

    assert set(ids(got)) == {f"cus_{n}" for n in range(500)}


async def test_a_place_that_is_always_gone(client, provider, customers):
    """A provider that denies its own records is noticed."""
    truth = serving([customer(n, created=5) for n in range(300)])
    provider.answer = lambda asked: (
        refusal(404, "resource_missing", param="starting_after") if "starting_after" in asked.query else truth(asked)
    )

    with pytest.raises(Broken, match="no end"):
        await collect(customers.pages(client, {}))

    assert len(provider.asked) < 20


async def test_odd_records_pass(client, provider, customers):
    """Records without an id pass on, and the place in the list is the last one that has an id."""
    odd = [customer(1), {"object": "customer"}, {"id": 17}, None, "text"]
    provider.answer = lambda asked: page(odd, more="starting_after" not in asked.query)

    first, last = await collect(customers.pages(client, {}))

    assert len(first.records) == len(last.records) == 5
    assert first.cursor["after"] == "cus_1"
    assert last.cursor is None


async def test_no_id_at_all(client, provider, customers):
    """With no id there is no next page to ask for, and that is said."""
    provider.answer = lambda asked: page([{"object": "customer"}], more=True)

    with pytest.raises(Broken, match="without a single id"):
        await collect(customers.pages(client, {}))


async def test_slices_cover_the_whole(client, provider, customers):
    """However often a read is halved, its parts hold every record once."""
    everything = [customer(n, created=1_700_000_000 - n * 977) for n in range(2_000)]
    provider.answer = serving(everything)
    waiting, done, halves = [{}], [], 0
    while waiting:
        cursor = waiting.pop()
        assert halves > 0 or customers.split(cursor) is None  # nothing is known before the first page
        while cursor is not None:
            found = await anext(customers.pages(client, cursor))
            done += ids([found])
            cursor = found.cursor
            if cursor is not None and (parts := customers.split(cursor)) is not None:
                halves += 1
                cursor, older = parts
                waiting.append(older)

    assert sorted(done) == sorted(record["id"] for record in everything)
    assert halves > 3


async def test_a_small_rest_is_not_halved(customers):
    """What takes a few more pages is not worth another reader."""
    cursor = {"after": "cus_1", "before": 1_700_000_000, "span": 1_000}

    assert customers.split({**cursor, "gte": 1_700_000_000 - 3_000}) is None
    assert customers.split({**cursor, "gte": 1_700_000_000}) is None
    newer, older = customers.split({**cursor, "gte": 1_700_000_000 - 10_000})
    assert newer == {**cursor, "gte": 1_699_995_000}
    assert older == {"gte": 1_699_990_000, "lt": 1_699_995_000}


async def test_one_record(client, provider, customers):
    """A record comes as it was sent, to the byte."""
    sent = b'{ "id" : "cus_1", "object":"customer", "n": 123456789012345678901234567890.10 }'
    provider.answer = lambda asked: http(b"\n" + sent + b"\n")

    assert await customers.read(client, ("cus_1",)) == sent


@pytest.mark.parametrize(
    "gone",
    [
        refusal(404, "resource_missing", param="id"),
        http({"id": "cus_1", "object": "customer", "deleted": True}),
    ],
)
async def test_what_stripe_says_is_gone(gone, client, provider, customers):
    """Stripe's own not-found and a deleted object mean absence."""
    provider.answer = lambda asked: gone

    assert await customers.read(client, ("cus_1",)) is None


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<h1>Not found</h1>", 404),
        http(b"", 404),
        http(b"{}", 404),
        refusal(404, None),
        http({"id": "cus_2", "object": "customer"}),
        http({"id": "cus_2", "object": "customer", "deleted": True}),
        http({"id": "cus_1", "object": "list", "data": []}),
        http({"deleted": True}),
    ],
)
async def test_what_does_not_prove_absence(answer, client, provider, customers):
    """A bare 404, and a record that was not asked for, are no absence."""
    provider.answer = lambda asked: answer

    with pytest.raises(ConnectorError) as caught:
        await customers.read(client, ("cus_1",))
    assert caught.value.code in {"unavailable", "broken"}
