"""Whatever a page holds, its good records are stored exactly, and the odd ones are mended or set aside."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.loads import Counts
from tasks.keys import key_text
from tests.fixtures.copies import PAIRS, exact, new_copy, thing

NINES = "9" * 5000
LONG = "".join(f"{number:x}" for number in range(3_000))  # compresses badly

GOOD = {
    "plain": b'{"id": "%s", "name": "Ada", "size": 3}',
    "exponents": b'{"id": "%s", "size": 1e400, "n": [1.50, -0.0, 1E-30, 12345678901234567890.123456789]}',
    "huge integer": f'{{"id": "%s", "size": {NINES}}}'.encode(),
    "escaped backslash": rb'{"id": "%s", "name": "\\u0000 \\\\u0000 \\ud800"}',
    "pair": rb'{"id": "%s", "name": "\ud83d\ude00"}',
    "depth": b'{"id": "%s", "deep": ' + b"[" * 1025 + b"]" * 1025 + b"}",
    "duplicate keys": b'{"id": "0", "name": "first", "id": "%s", "name": "last"}',
    "retyped": b'{"id": "%s", "name": 1, "size": "3", "made": [], "fine": "yes"}',
    "null": b'{"id": "%s", "name": null, "extra": {"": {}}}',
    "odd id": '{"id": "%s \U0001f600 \'\\"%%s{}", "name": "ключ"}'.encode(),
}
MENDED = {
    "NUL": rb'{"id": "%s", "name": "a\u0000b"}',
    "NUL in a name": rb'{"id": "%s", "a\u0000": 1}',
    "lone surrogate": rb'{"id": "%s", "name": "\ud800 \\\udc00"}',
    "bad UTF-8": b'{"id": "%s", "name": "\xff\xc3("}',
    "NUL and a long number": f'{{"id": "%s", "name": "\\u0000", "size": {NINES}}}'.encode(),
}
REFUSED = {
    "NaN": b'{"id": "%s", "size": NaN}',
    "infinite": b'{"id": "%s", "size": -Infinity}',
    "too deep": b'{"id": "%s", "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "too large a number": b'{"id": "%s", "size": 1e200000}',
    "cut": b'{"id": "%s", "name": "a',
    "no id": b'{"name": "%s"}',
    "empty id": b'{"id": "", "name": "%s"}',
    "id is a number": b'{"id": 1, "name": "%s"}',
    "id is null": b'{"id": null, "name": "%s"}',
    "long id": f'{{"id": "%s{LONG}"}}'.encode(),
    "long id that compresses": b'{"id": "%s' + b"a" * 10_000 + b'"}',
    "spoilt id": rb'{"id": "%s\u0000"}',
    "spoilt id and a long number": f'{{"id": "%s\\ud800", "size": {NINES}}}'.encode(),
    "list": b'["%s"]',
    "text": b'"%s"',
    "number": b"1",
    "nothing": b"null",
    "blank": b" ",
    "empty": b"",
    "word": b"undefined",
}
ALL = GOOD | MENDED | REFUSED


def named(body, key):
    return body.replace(b"%s", key.encode())


pages = st.lists(st.tuples(st.sampled_from(sorted(ALL)), st.integers(0, 10)), max_size=30)


async def write(copy, page):
    done = await copy.commit(copy.load(await copy.note(), *page))
    return done.counts.get("things", Counts())


@settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(pages)
async def test_any_page_is_stored_as_far_as_it_can_be(shop, page):
    """Good records are stored as they are, mended and refused ones counted; the page again changes nothing."""
    copy = await new_copy(shop)
    records = [named(ALL[kind], f"{kind} {number}") for kind, number in page]
    good = {kind_number for kind_number in page if kind_number[0] in GOOD}
    mended = {kind_number for kind_number in page if kind_number[0] in MENDED}
    try:
        counts = await write(copy, records)
        rows = await copy.rows()

        assert len(rows) == len(good) + len(mended)
        for kind, number in good:
            record = exact(named(GOOD[kind], f"{kind} {number}"))
            assert exact(rows[record["id"]]["raw"]) == record
        for kind, number in mended:
            assert "\ufffd" in rows[f"{kind} {number}"]["raw"]
        assert counts.rejected == sum(kind in REFUSED for kind, _ in page)
        assert counts.altered == sum(kind in MENDED for kind, _ in page)
        assert counts.written + counts.unchanged + counts.rejected == counts.read == len(page)
        assert (await copy.state())["rows"] == len(rows)
        assert await copy.rereads() == []
        kept = await copy.rejected()
        assert {body for body, _ in kept} == {named(REFUSED[k], f"{k} {n}") for k, n in page if k in REFUSED}
        assert all(reason for _, reason in kept)

        again = await write(copy, records)

        assert await copy.rows() == rows
        assert again == replace(counts, written=0, unchanged=counts.written + counts.unchanged)
    finally:
        await copy.stack.aclose()


@pytest.mark.parametrize("kind", sorted(ALL))
async def test_one_odd_record_costs_no_other(copy, kind):
    """Its neighbours are stored, whatever stands between them."""
    counts = await write(copy, [thing("before"), named(ALL[kind], "odd"), thing("after")])

    assert {"before", "after"} <= (await copy.rows()).keys()
    assert counts == Counts(
        read=3, written=2 + (kind not in REFUSED), rejected=int(kind in REFUSED), altered=int(kind in MENDED)
    )


async def test_numbers_are_exact(copy):
    """In `raw` a number keeps every digit; a typed column is null rather than rounded."""
    await write(copy, [b'{"id": "a", "size": 9007199254740993.0, "n": 0.1000000000000000055511151231257827}'])
    await write(copy, [b'{"id": "b", "size": 9223372036854775808, "n": 1e-400}'])

    rows = await copy.rows()

    assert rows["a"]["size"] == 9007199254740993
    assert rows["b"]["size"] is None
    assert exact(rows["a"]["raw"])["n"] == Decimal("0.1000000000000000055511151231257827")
    assert exact(rows["b"]["raw"]) == {"id": "b", "size": Decimal(2**63), "n": Decimal("1e-400")}


async def test_one_key_twice_in_a_page(copy):
    """The last one wins, and the page counts both as read."""
    counts = await write(copy, [thing("a", name="first"), thing("b"), thing("a", name="last")])

    assert (await copy.rows())["a"]["name"] == "last"
    assert counts == Counts(read=3, written=2, unchanged=1)
    assert await copy.rereads() == []


async def test_one_key_twice_in_a_page_with_an_odd_record(copy):
    """Then the last one wins too, or the record is read again."""
    await write(copy, [thing("a", name="first"), b"NaN", thing("b"), thing("a", name="last")])

    assert (await copy.rows())["a"]["name"] == "last" or await copy.rereads() == ["a"]


async def test_order_and_spelling_make_no_change(copy):
    """A record that means the same is unchanged, however it is written."""
    await write(copy, [b'{"id": "a", "size": 1, "name": "\xc3\xa9"}'])
    before = await copy.rows()

    counts = await write(copy, [rb'{"name":"\u00e9",  "size": 1.0, "id":"a"}'])

    assert counts.unchanged == 1
    assert await copy.rows() == before


async def test_a_key_of_several_columns(shop):
    """All its parts must be texts; the same part twice is no clash, and the key is read again as one text."""
    copy = await new_copy(shop, PAIRS)
    pairs = [b'{"channel_id": "c", "ts": "%d", "name": "x"}' % number for number in (1, 2)]
    await copy.commit(copy.load(0, *pairs, b'{"channel_id": "c"}', b'{"channel_id": "c", "ts": 3}'))
    assert set(await copy.rows()) == {"1", "2"}
    assert len(await copy.rejected()) == 2

    await copy.commit(copy.load(0, b'{"channel_id": "c", "ts": "1", "name": "y"}'))
    assert await copy.rereads() == ['["c", "1"]']
    await copy.commit(copy.load(await copy.note(), deleted=['["c", "2"]']))

    rows = await copy.rows()
    assert rows["2"]["deleted_at"]
    assert not rows["1"]["deleted_at"]
    await copy.stack.aclose()


@pytest.mark.parametrize("part", ['a"b', "a\\b", "\x01\x1f\x7f\t\n\b\f", "é 😀 \u2028", "[1]", "'", "%s"])
async def test_a_key_of_several_columns_is_written_alike_everywhere(shop, part):
    """Postgres and the tasks make the same text of a key, whatever characters it holds."""
    copy = await new_copy(shop, PAIRS)
    pair = {"channel_id": part, "ts": "1"}
    await copy.commit(copy.load(0, json.dumps(pair | {"name": "x"}).encode()))

    await copy.commit(copy.load(0, json.dumps(pair | {"name": "y"}).encode()))
    [key] = await copy.rereads()
    done = await copy.commit(copy.load(await copy.note(), deleted=[key_text((part, "1"))]))

    assert key == key_text((part, "1"))
    assert done.counts["pairs"].deleted == 1
    await copy.stack.aclose()
