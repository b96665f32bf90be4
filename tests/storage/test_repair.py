"""Repairing touches what jsonb cannot hold, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.repair import repair, spoils_key

BACKSLASH = "\\"


@pytest.mark.parametrize(
    ("given", "mended"),
    [
        (r'{"a": "x\u0000y"}', '{"a": "x\ufffdy"}'),
        (r'{"a": "\ud800"}', '{"a": "\ufffd"}'),
        (r'{"a": "\udc00\ud800"}', '{"a": "\ufffd\ufffd"}'),
        (r'{"a": "\ud83d\ude00"}', r'{"a": "\ud83d\ude00"}'),
        (r'{"a": "\uD83D\uDE00\uD83D"}', '{"a": "\\uD83D\\uDE00\ufffd"}'),
        (r'{"a": "\ud83d\u0041"}', '{"a": "\ufffd\\u0041"}'),
        (r'{"a": "\ud83d\\ude00"}', '{"a": "\ufffd\\\\ude00"}'),
        (r'{"a": "\\u0000"}', r'{"a": "\\u0000"}'),
        (r'{"a": "\\\u0000"}', '{"a": "\\\\\ufffd"}'),
        (r'{"a": "\\\\u0000"}', r'{"a": "\\\\u0000"}'),
        (r'{"a": "\"\u0000\""}', '{"a": "\\"\ufffd\\""}'),
        (r'{"\u0000": 1e400}', '{"\ufffd": 1e400}'),
    ],
)
def test_escapes(given, mended):
    """U+0000 and lone surrogates become U+FFFD; pairs and escaped backslashes stay as they are."""
    assert repair(given.encode()).decode() == mended


def test_bytes_that_are_no_text():
    """Bytes that are no UTF-8, and NUL bytes, become U+FFFD."""
    assert repair(b'{"a": "\xff\x00\xc3"}').decode() == '{"a": "\ufffd\ufffd\ufffd"}'


@given(st.text(st.sampled_from([*'\\u0d8cDfF"{}', "\ud83d", "é"]), max_size=30))
def test_repairing_twice_is_repairing_once(text):
    """Whatever the text, a mended record needs no more mending."""
    once = repair(text.encode(errors="surrogatepass"))
    assert repair(once) == once


texts = st.text(st.characters(), max_size=12)


@given(st.dictionaries(texts, st.one_of(texts, st.integers(), st.lists(texts, max_size=3)), max_size=4), st.booleans())
def test_a_mended_record_means_the_same_but_for_what_was_replaced(record, ascii_only):
    """Python, which reads lone surrogates and U+0000, sees U+FFFD in their place and no other difference."""

    def fit(text):
        return "".join("\ufffd" if each == "\0" or "\ud800" <= each <= "\udfff" else each for each in text)

    body = json.dumps(record, ensure_ascii=True) if ascii_only else json.dumps(record)

    mended = json.loads(repair(body.encode()))

    whole = json.loads(json.dumps(record))  # two escapes that make a pair are one character
    pairs = [(fit(key), value) for key, value in whole.items()]
    assert list(mended) == list(dict(pairs))
    for key, value in dict(pairs).items():
        expected = fit(value) if isinstance(value, str) else [*map(fit, value)] if isinstance(value, list) else value
        assert mended[key] == expected


@pytest.mark.parametrize(
    ("record", "spoilt"),
    [
        ('{"id": "a\ufffd"}', True),
        ('{"id": "a", "name": "\ufffd"}', False),
        ('{"id": "a\ufffd", "n": ' + "9" * 5000 + "}", True),
        ('{"id": "a\ufffd", "n": 1e999}', True),
        ('{"id": 1}', False),
        ('["\ufffd"]', False),
        ("no JSON", False),
        ('{"id": ' + "[" * 100_000, False),
    ],
)
def test_a_replaced_character_in_a_key(record, spoilt):
    """A key that was mended would name another record; the rest of the record does not matter, however odd."""
    assert spoils_key(record.encode(), ("id",)) is spoilt
