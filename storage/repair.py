"""What can be done about a record that Postgres refuses, on its text alone, so that numbers stay exact."""

import json
import re

REPLACEMENT = "\ufffd"

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_HIGH = range(0xD800, 0xDC00)
_LOW = range(0xDC00, 0xE000)


def repair(record: bytes) -> bytes:
    """The same record with U+FFFD for what jsonb cannot hold: U+0000, lone surrogates, bytes that are no UTF-8."""
    text = record.decode("utf-8", errors="replace").replace("\x00", REPLACEMENT)
    if "\\" in text:
        text = _without_bad_escapes(text)
    return text.encode()


def _without_bad_escapes(text: str) -> str:
    parts: list[str] = []
    start = 0
    while match := _ESCAPE.search(text, start):
        parts.append(text[start : match.start()])
        kept, start = _escape(text, match)
        parts.append(kept)
    parts.append(text[start:])
    return "".join(parts)


def _escape(text: str, match: re.Match[str]) -> tuple[str, int]:
    """What stands for this escape, and where the text goes on: a surrogate pair is one character of two escapes."""
    code = int(match[1], 16) if match[1] else None
    if code in _HIGH:
        second = _ESCAPE.match(text, match.end())
        if second and second[1] and int(second[1], 16) in _LOW:
            return match[0] + second[0], second.end()
    unfit = code == 0 or code in _HIGH or code in _LOW
    return REPLACEMENT if unfit else match[0], match.end()


def spoils_key(record: bytes, key: tuple[str, ...]) -> bool:
    """Whether a repaired record's key holds a replaced character: such a key would name another record."""
    try:
        parsed = json.loads(record, parse_int=str, parse_float=str)  # Python refuses to convert very long integers
    except (ValueError, RecursionError):
        return False
    values = [parsed.get(name) for name in key] if isinstance(parsed, dict) else []
    return any(isinstance(value, str) and REPLACEMENT in value for value in values)
