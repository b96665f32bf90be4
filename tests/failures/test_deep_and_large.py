"""Records nested without end, records of 10 MB, and a page of 100,000."""

import base64
import json

from tests.failures.odd_records import CREATED, customer, put

MEGABYTE = 1024**2


async def test_deep_and_large_records(sync, stripe, invariants, rows):
    """Depth 1,025 and 10 MB are stored, depth 100,000 is set aside, the good ones are stored, memory stays low."""
    depth = {n: b"[" * n + b"]" * n for n in (1_025, 100_000)}
    bodies = {f"cus_{n}": customer(f"cus_{n}", metadata="?").replace(b'"?"', nested) for n, nested in depth.items()} | {
        "cus_large": customer("cus_large", description="x" * 10 * MEGABYTE)
    }
    good = put(stripe, bodies)

    result = await sync(streams=["customers"])

    stored = invariants.stored(sync.connection_id, "customers")
    assert stored.keys() == good | {"cus_1025", "cus_large"}
    assert len(stored["cus_large"]["raw"]) > 10 * MEGABYTE
    assert depth[1_025].decode() in stored["cus_1025"]["raw"]
    assert rows("SELECT reason FROM syncline.rejected_record") == [{"reason": "it is nested too deeply"}]
    print(f"\npeak: {result['peak'] / MEGABYTE:.0f} MB")
    assert result["peak"] <= 300 * MEGABYTE
    invariants.hold(stripe, sync.connection_id, streams=["customers"], odd={"cus_1025", "cus_100000"})


async def test_a_page_of_a_hundred_thousand(sync, stripe, rows):
    """A page a thousand times as long as asked for is stored, in memory as flat as ever."""
    data = [{"id": f"prod_{n}", "object": "product", "created": CREATED - n} for n in range(100_000)]
    page = json.dumps({"object": "list", "url": "/v1/products", "has_more": False, "data": data}).encode()
    stripe.fault("body", "/v1/products", body=base64.b64encode(page).decode())

    result = await sync(streams=["products"])

    assert result["streams"]["products"]["written"] == 100_000
    assert rows("SELECT count(DISTINCT id) AS n FROM stripe.products") == [{"n": 100_000}]
    print(f"\npeak: {result['peak'] / MEGABYTE:.0f} MB")
    assert result["peak"] <= 300 * MEGABYTE
