"""The change feed names every record that changed, once, and its cursor never passes an event that may yet come."""

import json
from email.utils import formatdate

import pytest

from connectors.errors import CursorExpired, Refused
from tests.connectors.conftest import collect, http, refusal

NOW = 1_800_000_000
DAY = 86_400


class Feed:
    """Stripe's events and lists by its own rules, at a clock that the test sets."""

    def __init__(self):
        self.now = NOW
        self.events = []
        self.lists = {}
        self.asked = []

    def add(self, at, kind="customer", key="cus_1", **more):
        event = {"id": f"evt_{len(self.events)}", "object": "event", "created": at, "type": f"{kind}.updated"}
        named = {"object": kind} | ({"id": key} if key else {}) | more
        self.events.append(event | {"data": {"object": named}})

    def answer(self, asked):
        self.asked.append(asked)
        query = asked.query
        what = asked.path.removeprefix("/v1/")
        everything = self.events if what == "events" else self.lists.get(what, [])
        if isinstance(everything, bytes):
            return everything
        low, high = int(query.get("created[gte]", 0)), int(query.get("created[lt]", 2**60))
        window = [r for r in sorted(everything, key=lambda r: -r["created"]) if low <= r["created"] < high]
        begin = next((n for n, r in enumerate(window, 1) if r["id"] == query.get("starting_after")), 0)
        size = int(query["limit"])
        body = {"object": "list", "data": window[begin : begin + size], "has_more": len(window) > begin + size}
        return http(body, date=formatdate(self.now, usegmt=True))


@pytest.fixture
def feed(provider):
    made = Feed()
    provider.answer = made.answer
    return made


@pytest.fixture
def changes(client, stripe):
    async def read(**cursors):
        return await collect(stripe.changes(client, cursors))

    return read


def start(at):
    return {"at": at, "seen": {}}


def touched(found, stream):
    return [key for change in found if change.stream == stream for (key,) in change.page.touched]


def cursor_of(found, stream):
    return [c.page.cursor for c in found if c.stream == stream and c.page.cursor is not None][-1]


async def test_the_first_cursor_is_stripes_clock(client, stripe, feed):
    """A change cursor is the provider's time, at the price of one request."""
    assert await stripe.change_cursor(client) == {"at": NOW, "seen": {}}
    assert [asked.path for asked in feed.asked] == ["/v1/events"]


async def test_an_idle_run_costs_three_requests(feed, changes, stripe):
    """Nothing new in four weeks is one look at the feed, and one at each list that changes without events."""
    found = await changes(**{stream.name: start(NOW - 28 * DAY) for stream in stripe.streams})

    assert sorted(asked.path for asked in feed.asked) == ["/v1/events", "/v1/payment_intents", "/v1/refunds"]
    assert all(cursor_of(found, stream.name) == {"at": NOW - 60, "seen": {}} for stream in stripe.streams)


async def test_one_read_however_many_events(feed, changes):
    """Many events of one record name it once, in the stream of the object that they are about."""
    for n in range(10):
        feed.add(NOW - 500 + n)
        feed.add(NOW - 500 + n, "subscription", "sub_1")
    feed.add(NOW - 5, "invoice", None)  # an upcoming invoice has no id
    feed.add(NOW - 5, "balance", "bal_1")

    found = await changes(customers=start(NOW - 1000), subscriptions=start(NOW - 1000), invoices=start(NOW - 1000))

    assert touched(found, "customers") == ["cus_1"]
    assert touched(found, "subscriptions") == ["sub_1"]
    assert touched(found, "invoices") == []


async def test_events_about_others(feed, changes):
    """A discount changes its customer, a dispute its charge, a refund its charge."""
    feed.add(NOW - 5, "discount", "di_1", customer="cus_7", subscription={"id": "sub_7"})
    feed.add(NOW - 5, "dispute", "dp_1", charge="ch_7", payment_intent=None)
    feed.add(NOW - 5, "refund", "re_7", charge="ch_8")

    streams = ("customers", "subscriptions", "charges", "refunds")
    found = await changes(**dict.fromkeys(streams, start(NOW - 100)))

    assert {stream: sorted(touched(found, stream)) for stream in streams} == {
        "customers": ["cus_7"],
        "subscriptions": ["sub_7"],
        "charges": ["ch_7", "ch_8"],
        "refunds": ["re_7"],
    }


async def test_late_events_are_not_missed_and_others_not_repeated(feed, changes):
    """An event that turns up late is taken, and what was taken before is not taken again."""
    feed.add(NOW - 30, key="cus_early")
    cursor = cursor_of(first := await changes(customers=start(NOW - 100)), "customers")
    assert touched(first, "customers") == ["cus_early"]

    feed.now += 20
    feed.add(NOW - 40, key="cus_late")
    feed.add(NOW - 30, key="cus_same_second")
    second = await changes(customers=cursor)

    assert sorted(touched(second, "customers")) == ["cus_late", "cus_same_second"]
    feed.now += 3600
    third = await changes(customers=cursor_of(second, "customers"))
    assert touched(third, "customers") == []
    assert cursor_of(third, "customers") == {"at": NOW + 20 + 3600 - 60, "seen": {}}


async def test_the_cursor_is_not_moved_back(feed, changes):
    """A cursor that is nearer to now than late events come stays where it is."""
    found = await changes(customers=start(NOW - 5))

    assert cursor_of(found, "customers") == {"at": NOW - 5, "seen": {}}


async def test_streams_share_a_pass_and_keep_their_places(feed, changes):
    """Each stream takes only what its own cursor has not had."""
    feed.add(NOW - 3000, key="cus_old")
    feed.add(NOW - 3000, "product", "prod_old")
    feed.add(NOW - 300, key="cus_new")

    found = await changes(customers=start(NOW - 1000), products=start(NOW - 5000))

    assert touched(found, "customers") == ["cus_new"]
    assert touched(found, "products") == ["prod_old"]
    assert [asked.path for asked in feed.asked] == ["/v1/events"]


async def test_a_busy_month_comes_oldest_first_in_whole_windows(feed, changes):
    """Every event is read, a window's cursor covers it, and requests stay near one a page or an hour."""
    begin = NOW - 20 * DAY
    for n in range(3_000):  # a busy first day, a quiet fortnight, busy last hours
        feed.add(begin + n * 20, key=f"cus_a{n}")
        feed.add(NOW - 3 * 3600 + n * 3, key=f"cus_b{n}")

    found = await changes(customers=start(begin))

    keys = touched(found, "customers")
    assert sorted(keys) == sorted([f"cus_a{n}" for n in range(3_000)] + [f"cus_b{n}" for n in range(3_000)])
    moves = [change.page.cursor["at"] for change in found]
    assert moves == sorted(moves)
    assert moves[-1] == NOW - 60
    for change in found:
        named = {key for (key,) in change.page.touched}
        times = [e["created"] for e in feed.events if e["data"]["object"]["id"] in named]
        assert all(at < change.page.cursor["at"] or change is found[-1] for at in times)
    assert len(feed.asked) < 6_000 / 100 + 20 * 24 / 4 + 30


async def test_an_old_cursor_is_refused_first(feed, changes):
    """More than 29 days back by Stripe's clock, the streams concerned are named before anything is read."""
    with pytest.raises(CursorExpired) as caught:
        await changes(customers=start(NOW - 30 * DAY), products=start(NOW - 10), prices=start(NOW - 29 * DAY - 1))

    assert caught.value.streams == ("customers", "prices")
    assert len(feed.asked) == 1


async def test_recent_records_that_change_without_events(feed, changes):
    """Payments and refunds of the last week come as records, older ones do not."""
    old = {"id": "pi_old", "object": "payment_intent", "created": NOW - 8 * DAY}
    new = {"id": "pi_new", "object": "payment_intent", "created": NOW - 6 * DAY}
    feed.lists["payment_intents"] = [old, new]

    found = await changes(payment_intents=start(NOW - 100), customers=start(NOW - 100))

    read = [json.loads(record)["id"] for change in found for record in change.page.records]
    assert read == ["pi_new"]
    assert [asked.path for asked in feed.asked] == ["/v1/events", "/v1/payment_intents"]


async def test_one_refused_list_leaves_the_others(feed, changes):
    """A list that this key may not read is said to be unavailable, and the others go on."""
    feed.lists["payment_intents"] = refusal(403, "more_permissions_required")
    feed.lists["refunds"] = [{"id": "re_1", "object": "refund", "created": NOW - 5}]

    found = await changes(payment_intents=start(NOW - 100), refunds=start(NOW - 100))

    (refused,) = [change for change in found if change.unavailable is not None]
    assert refused.stream == "payment_intents"
    assert isinstance(refused.unavailable, Refused)
    assert [len(change.page.records) for change in found if change.stream == "refunds"] == [0, 1]


async def test_odd_events(feed, changes):
    """Events that a parser refuses still name their records; those that name nothing are left out."""
    odd = b'{"id":"evt_x","created":%d,"data":{"object":{"object":"customer","id":"cus_odd","n":NaN,"d":%s}}}' % (
        NOW - 5,
        b"[" * 100_000 + b"]" * 100_000,
    )
    plain = b'{"id":"evt_y","created":%d,"data":{"object":{"object":"customer","id":"cus_\\u0000","n":1e999}}}' % (
        NOW - 4
    )
    body = b'{"data":[%s,null,{"id":1},{"id":"evt_z"},%s],"has_more":false}' % (odd, plain)
    feed.events = http(body, date=formatdate(NOW, usegmt=True))

    found = await changes(customers=start(NOW - 100))

    assert touched(found, "customers") == ["cus_odd", "cus_\0"]


async def test_nothing_asked(feed, changes):
    """Without a stream there is nothing to ask."""
    assert await changes() == []
    assert feed.asked == []
