"""Slack's timestamps: seconds and six more digits as text of fixed width; here the same as whole microseconds."""

import re

MICRO = 1_000_000
FOREVER = 9_999_999_999 * MICRO + MICRO - 1
_STAMP = re.compile(r"(\d{1,10})(?:\.(\d{1,6}))?\Z")


def stamp(micros: int) -> str:
    """As Slack writes it: `1512085950.000216`."""
    seconds, rest = divmod(micros, MICRO)
    return f"{seconds:010d}.{rest:06d}"


def micros(text: str) -> int | None:
    """What Slack reads; None for what is no timestamp."""
    match = _STAMP.match(text)
    if match is None:
        return None
    return int(match[1]) * MICRO + int((match[2] or "0").ljust(6, "0"))
