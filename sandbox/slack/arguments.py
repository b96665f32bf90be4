"""A call's arguments: from the query, a form or JSON, as Slack reads them.

https://docs.slack.dev/apis/web-api
"""

from typing import Any
from urllib.parse import parse_qsl

import orjson

from sandbox.http import Request
from sandbox.slack import stamps
from sandbox.slack.errors import Failed, invalid_arguments

SECRETS = frozenset({"token", "client_secret", "code", "refresh_token", "code_verifier"})
_TRUE = frozenset({"1", "true", "True", "yes", "on"})
_FALSE = frozenset({"0", "false", "False", "no", "off", ""})


class Arguments(dict[str, Any]):
    """The names and values of one call. JSON keeps its types; all else is text."""

    def text(self, name: str) -> str | None:
        """A value as text; None where there is none."""
        value = self.get(name)
        if value is None or value == "":
            return None
        return value if isinstance(value, str) else orjson.dumps(value).decode()

    def needed(self, name: str, error: str | None = None) -> str:
        """A value that must be there."""
        value = self.text(name)
        if value is None:
            raise Failed(error) if error else invalid_arguments(f"missing required field: {name}")
        return value

    def yes(self, name: str, *, default: bool = False) -> bool:
        """Whether a switch is on."""
        value = self.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if str(value) in _TRUE:
            return True
        if str(value) in _FALSE:
            return False
        raise invalid_arguments(f"must be a boolean: {name}")

    def limit(self, default: int, most: int) -> int:
        """How many are asked for, never more than *most*."""
        text = self.text("limit")
        if text is None:
            return min(default, most)
        if not text.lstrip("-").isdigit() or int(text) < 0:
            raise Failed("invalid_limit")
        return min(int(text) or default, most)

    def moment(self, name: str) -> int | None:
        """A timestamp in microseconds; `now` is one too."""
        text = self.text(name)
        if text is None:
            return None
        found = stamps.FOREVER if text == "now" else stamps.micros(text)
        if found is None:
            raise Failed(f"invalid_ts_{name}")
        return found

    def structure(self, name: str, error: str) -> Any:
        """JSON that a form carries as text and a JSON body as it is; None where there is none."""
        value = self.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise Failed(error) from None


def read(request: Request) -> Arguments:
    """The arguments of *request*."""
    found = Arguments(request.params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not request.body:
        return found
    if kind == "application/json":
        found.update(_json(request.body))
    elif kind == "application/x-www-form-urlencoded":
        found.update(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    elif request.method == "POST":
        raise Failed("invalid_post_type" if kind else "missing_post_type")
    return found


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Failed("invalid_json") from None
    if not isinstance(said, dict):
        raise Failed("json_not_object")
    said.pop("token", None)  # Slack takes no token from a JSON body
    return said
