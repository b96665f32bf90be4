"""Numbers beyond 64 bits, beyond floats, and numbers that are none."""

from decimal import Decimal

from tests.failures.odd_records import customer, put
from tests.fixtures.invariants import exact

KEPT = {
    "2^63": (str(2**63), None),
    "2^63-1": (str(2**63 - 1), 2**63 - 1),
    "2^64": (str(2**64), None),
    "-2^63-1": (str(-(2**63) - 1), None),
    "5000 digits": ("9" * 5000, None),
    "1e400": ("1e400", None),
    "1.0": ("1.0", 1),
    "1": ("1", 1),
    "1e2": ("1e2", 100),
    "1.5": ("1.5", None),
    "tiny": ("1e-300", None),
    "0.1": ("0.1000000000000000055511151231257827", None),
}
SET_ASIDE = {"NaN": "NaN", "infinity": "-Infinity", "1e999999": "1e999999", "zeros": "007", "plus": "+1"}


async def test_numbers_are_exact_or_set_aside(sync, stripe, invariants, rows):
    """`raw` holds each number exactly and its column takes it exactly or not at all; what is no JSON is set aside."""
    texts = {name: text for name, (text, _) in KEPT.items()} | SET_ASIDE
    bodies = {f"cus_{name}": numbered(f"cus_{name}", text) for name, text in texts.items()}
    good = put(stripe, bodies)

    result = await sync(streams=["customers"])

    stored = {row["id"]: row for row in rows("SELECT id, balance, raw::text AS raw FROM stripe.customers")}
    assert stored.keys() == good | {f"cus_{name}" for name in KEPT}
    for name, (text, column) in KEPT.items():
        row = stored[f"cus_{name}"]
        assert exact(row["raw"])["balance"] == exact(row["raw"])["metadata"]["n"] == Decimal(text)
        assert row["balance"] == column
    assert result["streams"]["customers"]["rejected"] == len(SET_ASIDE)
    aside = rows("SELECT body, reason FROM syncline.rejected_record")
    assert {bytes(row["body"]) for row in aside} == {bodies[f"cus_{name}"] for name in SET_ASIDE}
    invariants.hold(stripe, sync.connection_id, streams=["customers"], odd={f"cus_{name}" for name in SET_ASIDE})


def numbered(key, text):
    return customer(key, balance="?", metadata={"n": "?"}).replace(b'"?"', text.encode())
