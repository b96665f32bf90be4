"""What a typed column takes out of a record, against what Python says that it should."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb

from connectors import columns
from connectors.columns import Column
from storage.columns import TYPES, take

KINDS = sorted(TYPES)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONG_AGO, LAST = -62135596800, 253402300799  # years 1 to 9999 in Unix seconds
MOMENT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?(?:([Zz])|([+-])(\d{2}):(\d{2}))", re.ASCII
)


class Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def number(value):
    return Decimal(value) if isinstance(value, Number) else None


def whole(value):
    amount = number(value)
    if amount is None or not -(2**63) <= amount < 2**63 or amount != int(amount):
        return None
    return int(amount)


def seconds(value):
    count = whole(value)
    return EPOCH + timedelta(seconds=count) if count is not None and LONG_AGO <= count <= LAST else None


def milliseconds(value):
    count = whole(value)
    fits = count is not None and LONG_AGO * 1000 <= count <= LAST * 1000 + 999
    return EPOCH + timedelta(milliseconds=count) if fits else None


def decimal_seconds(value):
    if plain_text(value) is None or not re.fullmatch(r"\d{1,11}(\.\d{1,6})?", value, re.ASCII):
        return None
    return EPOCH + timedelta(microseconds=int(Decimal(value) * 1_000_000))


def moment(value):
    match = MOMENT.fullmatch(value) if plain_text(value) is not None else None
    if not match:
        return None
    *parts, fraction, _, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    if int(hours or 0) > 15 or int(minutes or 0) > 59:  # further than any zone; Postgres takes none of them
        return None
    try:
        local = datetime(*map(int, parts), int((fraction or "").ljust(6, "0")), tzinfo=UTC)
        return local - offset
    except (ValueError, OverflowError):
        return None


def day(value):
    if plain_text(value) is None or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def decimal(value):
    if isinstance(value, Number):
        return number(value)
    fits = plain_text(value) is not None and re.fullmatch(r"-?\d{1,1000}(\.\d+)?", value, re.ASCII)
    return Decimal(value) if fits and len(value) <= 1000 else None


def plain_text(value):
    return str(value) if isinstance(value, str) and not isinstance(value, Number) else None


def texts(value):
    return value if isinstance(value, list) and all(plain_text(each) is not None for each in value) else None


TAKEN = {
    "text": plain_text,
    "integer": whole,
    "decimal": decimal,
    "flag": lambda value: value if isinstance(value, bool) else None,
    "moment_s": seconds,
    "moment_ms": milliseconds,
    "moment_decimal": decimal_seconds,
    "moment_iso": moment,
    "day": day,
    "texts": texts,
}


def written(value):
    """The JSON text of a value in which numbers are written as they are."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {written(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


EDGES = [
    *("0", "-0", "1.0", "1.5", "1e3", "1E+2", "1e-1", "10e-1", "1e400", "-1e400", "0.1", "1.00000000000000000001"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809"),
    *(str(LONG_AGO), str(LONG_AGO - 1), str(LAST), str(LAST + 1), f"{LAST}999", f"{LAST + 1}000", "1700000000.5"),
    *(f"{LONG_AGO}000", f"{LONG_AGO - 1}999", "-1", "-1001", "9" * 5000, "1700000000.0"),
]
TEXTS = [
    *(
        "",
        " ",
        "1",
        "1.5",
        "-1.50",
        "+1",
        "1e3",
        "NaN",
        "Infinity",
        ".5",
        "5.",
        "٣",
        "1_000",
        "0x10",
        "1" * 1001,
        "true",
    ),
    *("2024-02-29", "2023-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2024-1-1", "2024-01-01\n"),
    *("2024-01-01T00:00:00Z", "2024-01-01t00:00:00z", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z"),
    *("2016-12-31T23:59:60Z", "2024-01-01T24:00:00Z", "2024-01-01T25:00:00Z", "2024-13-01T00:00:00Z"),
    *("0000-06-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59.999999Z"),
    *(
        "9999-12-31T23:59:59-01:00",
        "10000-01-01T00:00:00Z",
        "2024-01-01T00:00:00.1234567Z",
        "2024-01-01T00:00:00.5-07:30",
    ),
    *("2024-01-01T00:00:00+15:59", "2024-01-01T00:00:00+16:00", "2024-01-01T00:00:00+01:60", "2024-01-01T00:00:00Z\n"),
    *("1503435956.000247", "0.1", "99999999999.999999", "100000000000", "1503435956.0002470", "1503435956.", "-1.5"),
    *("infinity", "epoch", "now", "today", "allballs"),
]
numbers = st.one_of(
    st.sampled_from(EDGES),
    st.integers(-(2**65), 2**65).map(str),
    st.integers(LONG_AGO - 10, LAST + 10).map(str),
    st.integers(LONG_AGO * 1000 - 10, LAST * 1000 + 2000).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
).map(Number)
moments = st.builds(
    lambda at, zone: at.isoformat() + zone,
    st.datetimes(),
    st.sampled_from(["Z", "z", "+00:00", "-00:00", "+05:45", "-12:00", "+14:00", "", "+0100"]),
)
storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
strings = st.one_of(
    st.sampled_from(TEXTS), moments, st.dates().map(str), st.decimals(-9, 9, places=3).map(str), storable
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, strings),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(storable, inner, max_size=2)),
    max_leaves=4,
)
PLENTY = settings(
    max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
)


async def taken(db, column, records, name="value"):
    """What the column takes from each record, as psycopg reads it back."""
    query = sql.SQL(
        "SELECT {} AS taken FROM jsonb_array_elements(%(body)s) WITH ORDINALITY AS e(raw, n) ORDER BY n"
    ).format(take(column, name))
    body = Jsonb(f"[{', '.join(map(written, records))}]", dumps=str.encode)
    async with db.connection() as conn:
        return [row["taken"] for row in await (await conn.execute(query, {"body": body})).fetchall()]


def same(one, other):
    return one == other and type(one) is type(other)


@PLENTY
@given(st.lists(values, min_size=20, max_size=40))
async def test_a_column_takes_what_fits_exactly(db, found):
    """Of any JSON value a column takes what its type holds exactly, else null; it never fails, and can be read back."""
    examples = [*map(Number, EDGES), *TEXTS, None, True, False, [], [["a"]], ["a", None], [[]], {}, {"a": True}, *found]
    for kind in KINDS:
        got = await taken(db, Column(kind), [{"value": value} for value in examples])

        for value, mine in zip(examples, got, strict=True):
            assert same(mine, TAKEN[kind](value)), (kind, value, mine)


async def test_paths_lead_into_objects_and_lists(db):
    """A path's steps are names, or places in lists; a path that leads nowhere finds nothing."""
    column = columns.text(("items", "0", "price", "id"))
    records = [
        {"items": [{"price": {"id": "p1"}}, {"price": {"id": "p2"}}]},
        {"items": []},
        {"items": {"0": {"price": {"id": "no list"}}}},
        {"items": [{"price": "p3"}]},
        {"items": None},
        {},
    ]

    assert await taken(db, column, records) == ["p1", None, None, None, None, None]


async def test_the_first_path_that_fits_wins(db):
    """Of several paths the first whose value fits is taken, not the first that is there."""
    column = columns.text(("customer", "id"), "customer")
    records = [{"customer": "c1"}, {"customer": {"id": "c2"}}, {"customer": {"id": 3}}, {"customer": None}, {}]
    assert await taken(db, column, records) == ["c1", "c2", None, None, None]

    column = columns.integer("a", "b")
    records = [{"a": Number("1"), "b": Number("2")}, {"a": "1", "b": Number("2")}, {"a": Number("0.5"), "b": None}]
    assert await taken(db, column, records) == [1, 2, None]


async def test_names_in_paths_are_only_names(db):
    """A step may hold anything that SQL or a format string would read as its own; none has a percent sign."""
    for name in ["a'b", 'a"b', "{x}", "{}", "a;b", "a--b", "ключ"]:
        assert await taken(db, columns.text((name, name)), [{name: {name: "found"}}]) == ["found"]


async def test_a_record_that_is_no_object_has_no_values(db):
    """Columns over a list, a text or a number are null, of every kind."""
    for kind in KINDS:
        assert await taken(db, Column(kind), [[], "value", Number("1"), None, ["value"]]) == [None] * 5
