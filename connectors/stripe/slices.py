"""A full read in slices of `created`, read side by side."""

from connectors.base import Cursor

EARLIEST = 1_262_304_000
"""2010-01-01: no Stripe account is older, so no record is."""

_WORTH_PAGES = 4
"""A rest that would take fewer pages than that is not worth another reader."""


def halve(cursor: Cursor) -> tuple[Cursor, Cursor] | None:
    """What *cursor* has yet to read as two windows, the newer one going on where it stands.

    None before its first page, which says how dense the records lie, and when the rest is small.
    """
    before, span = cursor.get("before"), cursor.get("span")
    if before is None or span is None:
        return None
    low = cursor.get("gte", EARLIEST)
    rest = before - low
    if rest < 2 or rest < _WORTH_PAGES * max(span, 1):  # noqa: PLR2004 - two seconds make two windows
        return None
    middle = low + rest // 2
    older = {name: cursor[name] for name in ("gte", "list") if name in cursor} | {"lt": middle}
    return {**cursor, "gte": middle}, older
