"""The splitter of last resort finds the same records as a parser, and copes with what a parser refuses."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import spans
from connectors.answers import UnparsableError
from connectors.listing import _split, listing

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
BLANKS = st.sampled_from(["", " ", "\n  ", "\t\r\n"])


@given(st.lists(ANY_JSON), st.booleans(), BLANKS, st.booleans(), st.booleans())
def test_the_splitter_finds_what_a_parser_finds(records, more, blank, ascii_only, first):
    """Whatever the records are and however they are spaced, each comes out as it went in."""
    parts = {"data": records, "has_more": more} if first else {"has_more": more, "x": {"data": 1}, "data": records}
    separators = ("," + blank, blank + ":" + blank)
    body = blank + json.dumps(parts, ensure_ascii=ascii_only, separators=separators) + blank
    raw = body.encode("utf-8", "surrogatepass")

    found = _split(raw)

    assert [json.loads(record.decode("utf-8", "surrogatepass")) for record in found.records] == records
    assert found.has_more is more


@given(st.lists(ANY_JSON, max_size=3), st.data())
def test_a_body_that_is_cut_anywhere_is_no_page(records, data):
    """No prefix of a page is a page."""
    body = json.dumps({"object": "list", "data": records, "has_more": False}).encode()
    cut = data.draw(st.integers(0, len(body) - 1))

    for read in (listing, _split):
        with pytest.raises(UnparsableError):
            read(body[:cut])


@given(ANY_JSON, st.binary(max_size=5))
def test_the_splitter_never_fails_otherwise(value, junk):
    """Garbage in any place is refused as garbage, not by an accident."""
    body = json.dumps(value).encode()
    for mangled in (body + junk, junk + body, body[: len(body) // 2] + junk + body[len(body) // 2 :]):
        with suppress(UnparsableError):
            found = listing(mangled)
            assert all(record in mangled for record in found.records)


ODD = {
    "nested 100,000 deep": b'{"id":"x","d":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "objects 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "not a number": b'{"id":"x","n":NaN,"i":-Infinity}',
    "not utf-8": b'{"id":"x","n":"\xff\xfe"}',
    "half a surrogate": b'{"id":"x","n":"\\ud800"}',
    "nul": b'{"id":"x","n":"\\u0000"}',
    "raw control characters": b'{"id":"x","n":"\x00\x1f\n"}',
    "huge number": b'{"id":"x","n":' + b"9" * 5_000 + b"}",
    "huge exponent": b'{"id":"x","n":1e400}',
    "long string": b'{"id":"x","n":"' + b'\\\\\\"' * 3_000_000 + b'"}',
    "no object": b"17",
    "marks in a string": b'{"id":"x","n":"]}[{\\"],"}',
    "odd escape": b'{"id":"x","n":"\\q"}',
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_record_is_passed_on_as_it_came(kind):
    """One odd record costs none of the others, and not a byte of itself."""
    good = b'{"id": "good", "n": 18446744073709551616}'
    body = b'\xef\xbb\xbf {"object":"list", "data": [%s , %s], "has_more" : true}\n' % (good, ODD[kind])
    began = time.monotonic()

    found = listing(body)

    assert found.records == [good, ODD[kind]]
    assert found.has_more
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":[1 2],"has_more":false}',
        b'{"data":[1,],"has_more":false}',
        b'{"data":[,1],"has_more":false}',
        b'{"data":[1],"has_more":false,}',
        b'{"data":[1],"has_more":False}',
        b'{"data":[NaN],"has_more":null}',
        b'{"data":[NaN}],"has_more":false}',
        b'{"data":{"a":NaN},"has_more":false}',
        b'{"data":[NaN],"has_more":false} x',
        b'{"data" [NaN],"has_more":false}',
        b'{data:[NaN],"has_more":false}',
        b'{"data":[NaN]]',
        b'{"data":["NaN],"has_more":false}',
        b"",
        b"\xef\xbb\xbf",
        b"[]",
        b"NaN",
    ],
)
def test_what_is_no_page(body):
    """A broken outline is a broken page, whatever its records are."""
    with pytest.raises(UnparsableError):
        listing(body)


def test_a_large_page_is_cut_in_time():
    """A page of 100,000 records with one odd one among them takes seconds, not minutes."""
    records = [b'{"id":"r%d","n":"some text of some length","m":{"a":[1,2,3]}}' % n for n in range(100_000)]
    records[50_000] = b'{"id":NaN}'
    began = time.monotonic()

    found = listing(b'{"data":[' + b",".join(records) + b'],"has_more":false}')

    assert found.records == records
    assert time.monotonic() - began < 10


def test_values_are_found_at_their_path():
    """Scalars are read, everything else is nothing."""
    body = b'{"id":"x","n":[NaN],"a":{"b":{"c":17}},"l":[1],"s":"\\u00e9"}'

    assert spans.scalars(body) == {"id": "x", "s": "é"}
    assert spans.scalars(body, "a", "b") == {"c": 17}
    assert [spans.scalars(body, *path) for path in (("l",), ("z",), ("id", "x"))] == [{}] * 3
