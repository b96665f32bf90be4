"""The neutral columns that a stream declares: where in a record a value lies, and what it must be.

A column never fails a record. A value that its column cannot take exactly leaves it null; the record is whole in `raw`.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "text", "integer", "decimal", "flag", "moment_s", "moment_ms", "moment_decimal", "moment_iso", "day", "texts"
]


@dataclass(frozen=True, slots=True)
class Column:
    """One typed column: its kind, and the path to its value inside the record.

    `paths` are tried in order, the first value that fits wins; none means the column's own name at the top level.
    A path's steps are object keys; `note` becomes the column's comment in Postgres.
    """

    kind: Kind
    paths: tuple[tuple[str, ...], ...] = ()
    note: str = ""


def _paths(path: tuple[str, ...] | str | None, *others: tuple[str, ...] | str) -> tuple[tuple[str, ...], ...]:
    given = ([path] if path else []) + list(others)
    return tuple((step,) if isinstance(step, str) else step for step in given)


def text(path: tuple[str, ...] | str | None = None, *others: tuple[str, ...] | str, note: str = "") -> Column:
    """A JSON string, kept as text."""
    return Column("text", _paths(path, *others), note)


def integer(path: tuple[str, ...] | str | None = None, *others: tuple[str, ...] | str, note: str = "") -> Column:
    """A JSON number without a fraction, within 64 bits."""
    return Column("integer", _paths(path, *others), note)


def minor(path: tuple[str, ...] | str | None = None, *others: tuple[str, ...] | str, note: str = "") -> Column:
    """An amount of money in the currency's minor unit (cents, yen), as the provider sends it."""
    return Column("integer", _paths(path, *others), note or "in the minor unit of its currency")


def decimal(path: tuple[str, ...] | str | None = None, *others: tuple[str, ...] | str, note: str = "") -> Column:
    """A JSON number or a string of decimal digits, kept as an exact numeric."""
    return Column("decimal", _paths(path, *others), note)


def flag(path: tuple[str, ...] | str | None = None, *others: tuple[str, ...] | str, note: str = "") -> Column:
    """A JSON true or false."""
    return Column("flag", _paths(path, *others), note)


def moment(
    path: tuple[str, ...] | str | None = None,
    *others: tuple[str, ...] | str,
    unit: Literal["s", "ms", "decimal", "iso"] = "s",
    note: str = "",
) -> Column:
    """A point in time within years 1 to 9999: whole Unix seconds, whole milliseconds, RFC 3339 with a zone.

    `decimal` is Unix seconds as a string with up to six decimals.
    """
    kinds: dict[str, Kind] = {"s": "moment_s", "ms": "moment_ms", "decimal": "moment_decimal", "iso": "moment_iso"}
    return Column(kinds[unit], _paths(path, *others), note)


def day(path: tuple[str, ...] | str | None = None, *others: tuple[str, ...] | str, note: str = "") -> Column:
    """A calendar date, `YYYY-MM-DD`."""
    return Column("day", _paths(path, *others), note)


def texts(path: tuple[str, ...] | str | None = None, *others: tuple[str, ...] | str, note: str = "") -> Column:
    """A JSON list of strings, kept as `text[]`."""
    return Column("texts", _paths(path, *others), note)
