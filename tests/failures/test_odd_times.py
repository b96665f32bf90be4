"""Times that no calendar has, or that Python cannot read."""

from datetime import UTC, datetime

from tests.failures.odd_records import customer, put

TIMES = {
    "year 1": (-62135596800, datetime(1, 1, 1, tzinfo=UTC)),
    "year 0": (-62135596801, None),
    "year 9999": (253402300799, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    "year 10000": (253402300800, None),
    "milliseconds": (1764032400000, None),
    "huge": (2**63, None),
    "fraction": (1764032400.5, None),
    "infinity": ("infinity", None),
    "text": ("2026-11-25T01:00:00", None),
    "leap second": ("2016-12-31T23:59:60Z", None),
    "null": (None, None),
    "list": ([1764032400], None),
    "epoch": (0, datetime(1970, 1, 1, tzinfo=UTC)),
}


async def test_times_out_of_any_calendar(sync, stripe, invariants, rows):
    """The column is exact or null, the record whole in `raw`, and psycopg can read every row."""
    bodies = {f"cus_{name}": customer(f"cus_{name}", created=value) for name, (value, _) in TIMES.items()}
    good = put(stripe, bodies)

    result = await sync(streams=["customers"])

    stored = {row["id"]: row for row in rows("SELECT * FROM stripe.customers")}
    assert stored.keys() == good | set(bodies)
    assert {name: stored[f"cus_{name}"]["created"] for name in TIMES} == {
        name: time for name, (_, time) in TIMES.items()
    }
    assert result["streams"]["customers"]["rejected"] == 0
    invariants.hold(stripe, sync.connection_id, streams=["customers"])
