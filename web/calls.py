"""How an operation of the API is called, as one would type it: with curl, and in Python."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REFERENCE = "#/components/schemas/"
WIDTH = 120
KEY = "order-4711"
"""Stands for a host product's own idempotency key."""


@dataclass(frozen=True, slots=True)
class Call:
    """What has to be sent; names in braces stand for the reader's own values."""

    method: str
    path: str
    query: Sequence[str]
    headers: Mapping[str, str]
    body: Any

    def in_curl(self, origin: str) -> str:
        asked = "&".join(f"{name}={{{name}}}" for name in self.query)
        lines = [f"curl -X {self.method} '{origin}{self.path}{'?' if asked else ''}{asked}'"]
        lines += ['  -H "Authorization: Bearer $SYNCLINE_ADMIN_TOKEN"']
        lines += [f"  -H '{name}: {value}'" for name, value in self.headers.items()]
        if self.body is not None:
            lines += ["  -H 'Content-Type: application/json'", f"  -d '{json.dumps(self.body, ensure_ascii=False)}'"]
        return " \\\n".join(lines)

    def in_python(self) -> str:
        """With `syncline`, an httpx client that knows the API's address and the token."""
        path = self.path.removeprefix("/api/v1")
        given = [f'{"f" if "{" in path else ""}"{path}"']
        if self.query:
            given.append("params={" + ", ".join(f'"{name}": {name}' for name in self.query) + "}")
        if self.headers:
            given.append(f"headers={_literal(self.headers)}")
        if self.body is not None:
            given.append(f"json={_literal(self.body)}")
        begin = f"syncline.{self.method.lower()}("
        line = f"{begin}{', '.join(given)})"
        return line if len(line) <= WIDTH else "\n    ".join([begin, *(f"{one}," for one in given)]) + "\n)"


def call_of(method: str, path: str, said: Mapping[str, Any], body: Mapping[str, Any] | None, shapes: Any) -> Call:
    """The shortest call that the operation takes."""
    parameters = said.get("parameters", [])
    return Call(
        method.upper(),
        path,
        [one["name"] for one in parameters if one["in"] == "query" and one.get("required")],
        {one["name"]: KEY for one in parameters if one["in"] == "header"},
        None if body is None else _sample(body, shapes),
    )


def _sample(schema: Mapping[str, Any], shapes: Mapping[str, Any]) -> Any:
    """The schema's own example, else what it requires and no more."""
    if "$ref" in schema:
        return _sample(shapes[schema["$ref"].removeprefix(REFERENCE)], shapes)
    if "examples" in schema:
        return schema["examples"][0]
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0], shapes)
    if "properties" in schema:
        return {name: _sample(schema["properties"][name], shapes) for name in schema.get("required", [])}
    return [_sample(schema.get("items", {}), shapes)] if schema.get("type") == "array" else "…"


def _literal(value: Any) -> str:
    return repr(value).replace("'", '"')
