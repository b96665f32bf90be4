"""U+0000, lone surrogates, bytes that are no UTF-8, byte order marks and names that stand twice."""

import base64
import json

from tests.failures.odd_records import customer, put

ODD = {
    "nul": (b"\\u0000", "a\ufffdb"),
    "high": (b"\\ud83d", "a\ufffdb"),
    "low": (b"\\ude00", "a\ufffdb"),
    "bytes": (b"\xff", "a\ufffdb"),
    "cut": (b"\xe2\x82", "a\ufffdb"),
    "pair": (b"\\ud83d\\ude00", "a\U0001f600b"),
    "bom": (b"\xef\xbb\xbf", "a\ufeffb"),
    "escaped": (b"\\\\u0000", "a\\u0000b"),
}
FIELDS = ["name", "email", "description", "phone"]


async def test_in_every_text_of_records(sync, stripe, invariants, rows):
    """What jsonb cannot hold is stored as U+FFFD and counted; every good record of the page is stored."""
    records, expected = {}, {}
    for kind, (odd, text) in ODD.items():
        for field in FIELDS:
            key = f"cus_{kind}_{field}"
            records[key] = customer(key, **{field: "a@b"}).replace(b"a@b", b"a" + odd + b"b")
            expected[key] = (field, text)
    records["cus_twice"] = customer("cus_twice")[:-1] + b', "name": "Second"}'
    records["cus_names"] = customer("cus_names", metadata={"a@b": "x"}).replace(b"a@b", b"a\\u0000b")
    good = put(stripe, records)

    result = await sync(streams=["customers"])

    counts = result["streams"]["customers"]
    altered = sum("\ufffd" in text for text, _ in ((text, odd) for odd, text in ODD.values())) * len(FIELDS) + 1
    assert (counts["altered"], counts["rejected"]) == (altered, 0)
    stored = {row["id"]: row for row in rows("SELECT id, name, email, description, phone, raw FROM stripe.customers")}
    assert good | set(records) == stored.keys()
    for key, (field, text) in expected.items():
        assert stored[key]["raw"][field] == text
        assert stored[key][field] == text
    assert stored["cus_twice"]["name"] == "Second"
    assert stored["cus_names"]["raw"]["metadata"] == {"a\ufffdb": "x"}
    invariants.hold(stripe, sync.connection_id, streams=["customers"], odd=records)


async def test_in_keys(sync, stripe, invariants, rows):
    """A key that cannot be stored as it is would name another record: that one is set aside, the others are stored."""
    bodies = {
        kind: customer("cus_a@b").replace(b"a@b", b"a" + ODD[kind][0] + b"b") for kind in ("nul", "high", "bytes")
    }
    bodies |= {"none": customer(None), "number": customer(7), "empty": customer(""), "text": b'"cus_1"', "list": b"[]"}
    good = put(stripe, bodies)

    result = await sync(streams=["customers"])

    assert result["streams"]["customers"]["rejected"] == len(bodies)
    aside = rows("SELECT body, reason FROM syncline.rejected_record")
    assert {bytes(row["body"]) for row in aside} >= {
        bodies[kind] for kind in ("none", "number", "empty", "text", "list")
    }
    assert all(row["reason"] for row in aside)
    assert invariants.stored(sync.connection_id, "customers").keys() == good
    invariants.hold(stripe, sync.connection_id, streams=["customers"], odd=bodies)


async def test_in_events(sync, stripe, invariants):
    """An event with odd text still names its record, which is read again; the feed goes on behind it."""
    stripe.load("customers", 20)
    await sync(streams=["customers"])
    keys = sorted(stripe.truth("customers"))[: len(ODD)]
    for (kind, (odd, _)), key in zip(ODD.items(), keys, strict=True):
        stripe.update("customers", key, event=False, name=kind)
        event = {
            "id": f"evt_{kind}",
            "object": "event",
            "created": int(stripe.settings()["now"]),
            "type": "customer.updated",
        }
        event["data"] = {"object": {"name": "a@b", "id": key, "object": "customer"}}
        stripe.raw("events", json.dumps(event).encode().replace(b"a@b", b"a" + odd + b"b"), id=event["id"])

    await sync(streams=["customers"])

    invariants.hold(stripe, sync.connection_id, streams=["customers"])


async def test_a_page_that_begins_with_a_byte_order_mark(sync, stripe, invariants):
    """The page behind a byte order mark is read like any other."""
    stripe.load("products", 5, spread=100)
    data = ",".join(body.decode() for body in stripe.truth_raw("products").values())
    page = (
        b"\xef\xbb\xbf" + f'{{"object": "list", "url": "/v1/products", "has_more": false, "data": [{data}]}}'.encode()
    )
    stripe.fault("body", "/v1/products", body=base64.b64encode(page).decode())

    await sync(streams=["products"])

    assert stripe.faults() == []
    invariants.hold(stripe, sync.connection_id, streams=["products"])
