"""The test's hand on the sandbox: loading, odd records, the truth, the ledger."""

import json

import psutil
import pytest

STREAMS = ["customers", "products", "prices", "subscriptions", "invoices", "charges", "payment_intents", "refunds"]


def test_a_hundred_thousand_customers(api, provider, sandbox):
    """Of about a kilobyte each, spread over a year, for a few seconds of work, and told of by no event."""
    process = psutil.Process(sandbox.pid)
    before = process.cpu_times().user
    provider.load("customers", 100_000)
    seconds = process.cpu_times().user - before

    answer = api.get("/v1/customers", params={"limit": 100})
    sizes = [len(json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()) for row in answer.json()["data"]]
    year = provider.settings()["now"] - 365 * 86400
    oldest = api.get("/v1/customers", params={"created[lt]": int(year) + 900, "limit": 100}).json()["data"]

    assert seconds < 10
    assert 950 < min(sizes) <= max(sizes) < 1050
    assert 1 <= len(oldest) < 10
    assert api.get("/v1/events").json()["data"] == []


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_can_be_loaded(api, provider, stream):
    """And a filter by customer finds what belongs to one."""
    provider.load("customers", 1)
    provider.load(stream, 12, seed=3)

    rows = api.get(f"/v1/{stream}", params={"limit": 100} | ({"status": "all"} if stream == "subscriptions" else {}))

    truth = provider.truth(stream)
    assert {row["id"]: row for row in rows.json()["data"]} == truth
    owned = [key for key, row in truth.items() if row.get("customer")]
    if owned:
        owner = truth[owned[0]]["customer"]
        assert len(api.get(f"/v1/{stream}", params={"limit": 100, "customer": owner}).json()["data"]) == len(owned)


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_can_be_created_changed_and_deleted(api, provider, stream):
    """Whatever the API itself would allow."""
    made = provider.create(stream, metadata={"a": "b"})
    changed = provider.update(stream, made["id"], metadata={"a": "c"})
    listed = api.get(f"/v1/{stream}").json()["data"]
    provider.delete(stream, made["id"])

    assert listed == [changed]
    assert changed["metadata"] == {"a": "c"}
    assert provider.truth(stream) == {}
    assert [write["change"] for write in provider.ledger()["writes"]] == ["created", "updated", "deleted"]


def test_silent_changes(api, provider):
    """Without an event, as Stripe sometimes leaves them."""
    made = provider.create("refunds", event=False)
    provider.update("refunds", made["id"], event=False, status="failed")

    assert api.get("/v1/events").json()["data"] == []
    assert api.get(f"/v1/refunds/{made['id']}").json()["status"] == "failed"


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"cus_odd","name":"a\\u0000b"}',
        b'{"id":"cus_odd","name":"\\ud800"}',
        b'{"id":"cus_odd","balance":18446744073709551616}',
        b'{"id":"cus_odd","balance":NaN}',
        b'{"name":"nobody"}',
        b'{"id":"cus_odd","name":"\xff\xfe"}',
        b'{"id":"cus_odd","deep":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"[1]",
    ],
)
def test_a_record_of_any_bytes(api, provider, body):
    """It comes in the list, by id and in the truth exactly as it was put in."""
    provider.create("customers")
    key = provider.raw("customers", body, id="cus_odd")

    assert body in api.get("/v1/customers").content
    assert api.get(f"/v1/customers/{key}").content == body
    assert provider.truth_raw("customers")["cus_odd"] == body


def test_the_same_seed_shakes_the_same_way(provider, another_provider):
    """Two accounts with the same data change alike, ids and all."""
    for one in (provider, another_provider):
        one.settings(fixed=1_700_000_000)
        one.load("customers", 20, seed=1)

    assert provider.shake(["customers"], seed=5, times=10) == another_provider.shake(["customers"], seed=5, times=10)


def test_events_again_and_in_another_order(api, provider):
    """Three times over, with their times exchanged: the feed of a bad day."""
    for second in range(5):
        provider.settings(skew=-10 + second)
        provider.create("customers")
    provider.settings(skew=0)
    before = [row["data"]["object"]["id"] for row in api.get("/v1/events").json()["data"]]
    provider.events(permute=3, repeat=1)
    after = [row["data"]["object"]["id"] for row in api.get("/v1/events", params={"limit": 100}).json()["data"]]

    assert len(after) == 10
    assert set(after) == set(before)
    assert after[:5] != before


def test_the_ledger_knows_every_request_and_no_key(api, provider):
    """Who, what, over which connection, and what came of it."""
    api.get("/v1/customers", params={"limit": 3})
    ledger = provider.ledger()

    row = ledger["requests"][-1]
    assert (row["method"], row["path"], row["query"], row["status"]) == ("GET", "/v1/customers", "limit=3", 200)
    assert (row["account"], row["mode"], row["done"]) == (provider.account, "test", True)
    assert provider.key not in json.dumps(ledger)

    provider.forget()
    assert provider.ledger() == {"requests": [], "writes": []}


def test_accounts_know_nothing_of_each_other(provider, another_provider):
    """Nor do their ledgers."""
    provider.create("customers")

    assert another_provider.truth("customers") == {}
    assert another_provider.ledger()["writes"] == []
