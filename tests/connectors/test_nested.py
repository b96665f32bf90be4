"""Lists inside a record are read to their end, in pages and by id, and nothing else in it moves."""

import asyncio
import json
import time

import pytest

from connectors.errors import Broken, Refused
from tests.connectors.conftest import collect, http, page, refusal


def entry(number):
    return {"id": f"si_{number}", "object": "subscription_item", "quantity": number}


def subscription(url="/v1/subscription_items?subscription=sub_1", *, more=True, entries=10):
    nested = {"has_more": more, "data": [entry(n) for n in range(entries)], "object": "list", "url": url}
    return {"id": "sub_1", "object": "subscription", "created": 5, "exact": 10**30, "items": nested, "z": 1}


def serve(parent, total=250):
    def answer(asked):
        if asked.path == "/v1/subscription_items":
            assert asked.query["subscription"] == "sub_1"
            begin = int(asked.query["starting_after"].removeprefix("si_")) + 1 if "starting_after" in asked.query else 0
            return page([entry(n) for n in range(begin, min(total, begin + 100))], more=total > begin + 100)
        return page([parent]) if asked.path == "/v1/subscriptions" else http(parent)

    return answer


@pytest.fixture
def subscriptions(stripe):
    return stripe.stream("subscriptions")


@pytest.mark.parametrize("entries", [10, 1, 0])
@pytest.mark.parametrize("by_id", [True, False])
async def test_a_nested_list_is_whole(entries, by_id, client, provider, subscriptions):
    """All entries are there once, the list says that it ends, and numbers stay exact."""
    provider.answer = serve(subscription(entries=entries))

    if by_id:
        record = await subscriptions.read(client, ("sub_1",))
    else:
        ((record,),) = [found.records for found in await collect(subscriptions.pages(client, {}))]

    expected = subscription(entries=250, more=False)
    assert json.loads(record) == expected
    assert list(json.loads(record)) == list(expected)


async def test_a_whole_record_is_not_touched(client, provider, subscriptions):
    """A record with nothing more to read comes as it was sent, and costs no request."""
    sent = json.dumps(subscription(more=False), indent=3).encode()
    provider.answer = lambda asked: http(sent)

    assert await subscriptions.read(client, ("sub_1",)) == sent
    assert len(provider.asked) == 1


async def test_lists_inside_lists(client, provider, stripe):
    """A list inside an entry of a list that goes on is read to its end too."""

    def inner(number, more):
        begin = 0 if more else 2
        return {
            "object": "list",
            "has_more": more,
            "data": [{"id": f"a{number}_{n}"} for n in range(2)] if more else [{"id": f"a{number}_2"}],
            "url": f"/v1/invoices/line{number}/taxes",
            "begin": begin,
        }

    def line(number):
        return {"id": f"line{number}", "taxes": inner(number, True)}

    lines = {"url": "/v1/invoices/in_1/lines", "has_more": True, "object": "list", "data": [line(1)]}

    def answer(asked):
        if asked.path.endswith("/taxes"):
            return page([{"id": "last"}])
        if asked.path.endswith("/lines"):
            return page([line(2)])
        return http({"id": "in_1", "object": "invoice", "lines": lines})

    provider.answer = answer

    record = json.loads(await stripe.stream("invoices").read(client, ("in_1",)))

    assert [each["id"] for each in record["lines"]["data"]] == ["line1", "line2"]
    assert [[tax["id"] for tax in each["taxes"]["data"]] for each in record["lines"]["data"]] == [
        ["a1_0", "a1_1", "last"],
        ["a2_0", "a2_1", "last"],
    ]
    assert b"true" not in json.dumps(record).encode()


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://evil.example/v1/subscription_items",
        "file:///etc/passwd",
        "//evil.example/v1/x",
        "/v2/subscription_items",
        "/v1/../admin",
        "/v1/a/../../b",
        "/v1/a@evil.example",
        "@evil.example/v1/x",
        "/v1/subscription_items#x",
        "/v1/subscription_items?a=\r\nHost: evil",
        "",
    ],
)
async def test_a_foreign_next_page_is_not_followed(url, client, provider, subscriptions):
    """Only Stripe's own addresses are asked; anything else stops with a sentence."""
    provider.answer = serve(subscription(url=url))

    with pytest.raises(Broken, match="not at its own address"):
        await subscriptions.read(client, ("sub_1",))

    assert len(provider.asked) == 1


async def test_its_own_address_in_full_is_followed(client, provider, subscriptions):
    """An address that begins with the configured origin is Stripe's own."""
    provider.answer = serve(subscription(url=f"{provider.url}/v1/subscription_items?subscription=sub_1"))

    record = json.loads(await subscriptions.read(client, ("sub_1",)))

    assert len(record["items"]["data"]) == 250


async def test_a_nested_list_without_end(client, provider, subscriptions):
    """A nested list that keeps sending the same page is noticed."""
    provider.answer = lambda asked: page([entry(9)], more=True) if "items" in asked.path else http(subscription())

    with pytest.raises(Broken):
        await subscriptions.read(client, ("sub_1",))
    assert len(provider.asked) <= 4


async def test_lists_within_lists_without_end(client, provider, subscriptions):
    """Entries that always hold one more open list are noticed."""
    provider.answer = lambda asked: (
        page([subscription() | {"id": "x"}]) if "items" in asked.path else http(subscription())
    )

    with pytest.raises(Broken):
        await subscriptions.read(client, ("sub_1",))
    assert len(provider.asked) <= 6


async def test_a_parent_that_is_deleted_meanwhile(client, provider, subscriptions):
    """A record whose nested list is gone stays as it was sent; its deletion comes by the change feed."""
    sent = subscription()
    provider.answer = lambda asked: (
        refusal(404, "resource_missing", param="subscription") if "items" in asked.path else http(sent)
    )

    assert json.loads(await subscriptions.read(client, ("sub_1",))) == sent


async def test_each_nested_route_is_throttled_by_its_template(client, provider, subscriptions, throttle, records):
    """A nested list draws on the account's bucket and its own endpoint's."""
    provider.answer = serve(subscription(url="/v1/invoices/in_1/lines"))
    provider.answer = lambda asked: page([]) if "lines" in asked.path else http(subscription("/v1/invoices/in_1/lines"))

    await subscriptions.read(client, ("sub_1",))

    assert [record.route for record in records] == ["/v1/subscriptions/{id}", "/v1/invoices/{id}/lines"]
    assert throttle.taken[1] == ["account", "endpoint-get-v1-invoices-id-lines"]


async def test_the_records_of_a_page_are_completed_side_by_side(client, provider, subscriptions):
    """Many open lists on a page take the time of one, and one failure is the failure of the page."""
    parents = [subscription() | {"id": f"sub_{n}"} for n in range(30)]

    async def slow(asked, writer):
        if asked.path == "/v1/subscriptions":
            return page([*parents, {"id": "sub_whole"}])
        await asyncio.sleep(0.1)
        return page([entry(10)])

    provider.answer = slow
    began = time.monotonic()
    ((*opened, whole),) = [found.records for found in await collect(subscriptions.pages(client, {}))]

    assert time.monotonic() - began < 2.5
    assert [json.loads(record)["id"] for record in opened] == [parent["id"] for parent in parents]
    assert all(len(json.loads(record)["items"]["data"]) == 11 for record in opened)
    assert json.loads(whole) == {"id": "sub_whole"}

    provider.answer = lambda asked: page(parents) if asked.path == "/v1/subscriptions" else refusal(403, "no")
    with pytest.raises(Refused):
        await collect(subscriptions.pages(client, {}))
