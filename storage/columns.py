"""SQL that takes a typed value out of a record, or null: no value that a provider sends makes it fail.

A value is taken only when its column can hold it exactly: a fraction is no integer, a number no text, a time outside
years 1 to 9999 no timestamptz. The record itself is whole in `raw`.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from psycopg import sql


class Column(Protocol):
    """What a stream declares of a typed column; `connectors.columns.Column` fits it."""

    @property
    def kind(self) -> str: ...

    @property
    def paths(self) -> Sequence[Sequence[str]]: ...

    @property
    def note(self) -> str: ...


TYPES = {
    "text": "text",
    "integer": "bigint",
    "decimal": "numeric",
    "flag": "boolean",
    "moment_s": "timestamptz",
    "moment_ms": "timestamptz",
    "moment_decimal": "timestamptz",
    "moment_iso": "timestamptz",
    "day": "date",
    "texts": "text[]",
}

# {v} is the value as jsonb, {t} the same as text. Casts that are tried first on the text are the cheap ones: pages are
# projected record by record, and most of a record's cost is here.
_NUMBER = "CASE WHEN jsonb_typeof({v}) = 'number' THEN "
_STRING = "CASE WHEN jsonb_typeof({v}) = 'string' THEN "
_WHOLE = (
    _NUMBER + "CASE WHEN pg_input_is_valid({t}, 'bigint') THEN ({t})::bigint"
    " WHEN {v}::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 AND trunc({v}::numeric) = {v}::numeric"
    " THEN {v}::bigint END END"
)
# Year 1 to the end of year 9999: what psycopg and Python's datetime can read back. Up to 11 characters lie well within.
_MOMENT_S = (
    _NUMBER + "CASE WHEN strpos({t}, '.') = 0 AND length({t}) < 12 THEN to_timestamp(({t})::bigint)"
    " WHEN {v}::numeric BETWEEN -62135596800 AND 253402300799 AND trunc({v}::numeric) = {v}::numeric"
    " THEN to_timestamp({v}::bigint) END END"
)
# `mod` and not its operator: psycopg takes that for a placeholder.
_MOMENT_MS = (
    _NUMBER + "CASE WHEN {v}::numeric BETWEEN -62135596800000 AND 253402300799999"
    " AND trunc({v}::numeric) = {v}::numeric THEN to_timestamp(floor({v}::numeric / 1000)::bigint)"
    " + mod(mod({v}::numeric, 1000) + 1000, 1000)::integer * interval '1 millisecond' END END"
)
# A string of seconds with up to six decimals, which a float would round; eleven digits lie within year 9999.
_MOMENT_DECIMAL = (
    _STRING + "CASE WHEN {t} ~ '^[0-9]{{1,11}}([.][0-9]{{1,6}})?$'"
    " THEN to_timestamp(trunc(({t})::numeric)::bigint)"
    " + (mod(({t})::numeric, 1) * 1000000)::integer * interval '1 microsecond' END END"
)
_MOMENT_ISO = (
    _STRING
    + "CASE WHEN {t} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{{1,6}})?"
    "([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})$' AND pg_input_is_valid({t}, 'timestamptz') THEN"
    " CASE WHEN ({t})::timestamptz >= '0001-01-01 00:00:00+00' AND ({t})::timestamptz < '10000-01-01 00:00:00+00'"
    " THEN ({t})::timestamptz END END END"
)
_TAKE = {
    "text": _STRING + "{t} END",
    "integer": _WHOLE,
    "decimal": (
        "CASE jsonb_typeof({v}) WHEN 'number' THEN {v}::numeric WHEN 'string' THEN"
        " CASE WHEN length({t}) <= 1000 AND {t} ~ '^-?[0-9]+([.][0-9]+)?$' THEN ({t})::numeric END END"
    ),
    "flag": "CASE {v} WHEN 'true'::jsonb THEN true WHEN 'false'::jsonb THEN false END",
    "moment_s": _MOMENT_S,
    "moment_ms": _MOMENT_MS,
    "moment_decimal": _MOMENT_DECIMAL,
    "moment_iso": _MOMENT_ISO,
    "day": (
        _STRING + "CASE WHEN {t} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$' AND pg_input_is_valid({t}, 'date')"
        " THEN ({t})::date END END"
    ),
    "texts": (
        "CASE WHEN {v} = '[]'::jsonb THEN '{{}}'::text[] WHEN jsonb_typeof({v}) = 'array'"
        " AND NOT jsonb_path_exists({v}, 'strict $[*] ? (@.type() != \"string\")')"
        " THEN ARRAY(SELECT jsonb_array_elements_text({v})) END"
    ),
}


def take(column: Column, name: str) -> sql.Composable:
    """The SQL expression of one typed column over a record called `raw`: the first path whose value fits, or null."""
    expressions = [
        sql.SQL(_TAKE[column.kind]).format(v=_value(path, "->"), t=_value(path, "->>"))
        for path in column.paths or ((name,),)
    ]
    if len(expressions) == 1:
        return expressions[0]
    return sql.SQL("COALESCE({})").format(sql.SQL(", ").join(expressions))


def _value(path: Sequence[str], last: Literal["->", "->>"]) -> sql.Composable:
    """`(raw -> 'a' -> 0 ->> 'b')`: a step of digits is a place in a list."""
    steps = [sql.Literal(int(step) if step.isdigit() else step) for step in path]
    inner = [sql.SQL("-> {}").format(step) for step in steps[:-1]]
    return sql.SQL("(raw {} {} {})").format(sql.SQL(" ").join(inner), sql.SQL(last), steps[-1])
