"""Stripe's form encoding: names with brackets become objects and lists."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

_NAME = re.compile(r"\[([^\]]*)\]")
DEPTH = 10

Params = dict[str, Any]


def parse(text: str) -> Params:
    """`a[b][0]=c` as `{"a": {"b": ["c"]}}`; every value stays a text."""
    return nested(parse_qsl(text, keep_blank_values=True))


def nested(pairs: Iterable[tuple[str, str]]) -> Params:
    """Names with brackets as objects, `[]` and `[0]` as lists."""
    result: Params = {}
    for name, value in pairs:
        head, bracket, _ = name.partition("[")
        steps = [head, *_NAME.findall(name)][:DEPTH] if bracket else [name]
        _put(result, steps, value)
    return {key: _lists(value) for key, value in result.items()}


def _put(target: Params, steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        inner = target.setdefault(step, {})
        if not isinstance(inner, dict):
            inner = target[step] = {}
        target = inner
    last = steps[-1]
    target[str(len(target)) if last == "" else last] = value


def _lists(value: Any) -> Any:
    """Objects whose names are all numbers are lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(part) for key, part in value.items()}
    if inner and all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
