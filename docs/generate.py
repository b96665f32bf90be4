"""`make docs`: the references that are made from the code. A test fails when one of them has fallen behind."""

import ast
import importlib
import inspect
import itertools
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
WIDTH = 110
NOTE = "<!-- Made by `make docs`; change the code instead. -->\n"


def references() -> dict[str, str]:
    """The text of each reference, by its file's name."""
    made = {"cli.md": commands(), "settings.md": settings(), "schema.md": schema(), "api.md": api()}
    return {name: NOTE + "\n" + "\n".join(lines).rstrip() + "\n" for name, lines in made.items()}


def commands() -> Iterator[str]:
    """Every command with its arguments, its options and its example."""
    import typer.main

    from cli.main import app

    yield "# Command line\n"
    yield "Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 wrong use, 130 Ctrl-C."
    yield "Every command takes `-h`; most take `--json`: one object on stdout, also on failure.\n"
    yield from _commands_of(typer.main.get_command(app), "syncline")


def _commands_of(group: Any, prefix: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield from _command(f"{prefix} {name}", command)
        if hasattr(command, "commands"):
            yield from _commands_of(command, f"{prefix} {name}")


def _command(title: str, command: Any) -> Iterator[str]:
    context = command.make_context(title, [], resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH)
    yield f"## {title}\n"
    yield "```text\n" + "\n".join(line.rstrip() for line in command.get_help(context).splitlines()) + "\n```\n"


def settings() -> Iterator[str]:
    """Every setting with its default and its meaning, as the class that declares it says."""
    from connectors.registry import find_connectors
    from deployments.automations import AlertSettings
    from deployments.web_settings import WebSettings
    from storage.settings import StorageSettings
    from tasks.settings import SyncSettings

    yield "# Settings\n"
    yield "Environment variables. What is set there wins over a `.env` file in the working directory, and that over the folder that"
    yield "`SYNCLINE_SECRETS_DIR` names. An empty one takes the default. A malformed one stops the start with a sentence that names it.\n"
    yield "Prefect's own settings are used as they are.\n"
    yield "## Syncline\n"
    ours = [row for cls in (StorageSettings, WebSettings, SyncSettings, AlertSettings) for row in _settings_of(cls)]
    yield from _settings_table([*ours, *BESIDE])
    yield "## What Google's connectors share\n"
    yield from _settings_table(_settings_of(_settings_class("connectors.google_settings")))
    for name, connector in find_connectors().items():
        yield f"## {connector.title}\n"
        limits = (f"SYNCLINE_{name.upper()}_RATE_LIMITS", "", f"Laid over the published limits: JSON by {LIMITS[name]}")
        yield from _settings_table([*_settings_of(_settings_class(f"connectors.{name}.settings")), limits])


BESIDE = [
    ("SYNCLINE_SECRETS_DIR", "", "A folder with one file per variable, for those of Syncline and of Prefect."),
    ("SYNCLINE_DEBUG", "", "`1` adds tracebacks to errors on the command line."),
]
LIMITS = {
    "gmail": 'bucket, in Gmail\'s quota units: `{"user": {"units": 6000, "per_seconds": 60}, "project": …}`.',
    "google_calendar": 'bucket: `{"user": {"units": 600, "per_seconds": 60}, "project": …}`.',
    "slack": 'method: `{"conversations.history": {"units": 50, "per_seconds": 60}}`.',
    "stripe": 'bucket, `account` and `endpoint`: `{"account": {"units": 25, "per_seconds": 1}}`.',
}


def _settings_class(module: str) -> Any:
    """The one that the module itself declares."""
    from pydantic_settings import BaseSettings

    (found,) = (
        one
        for one in vars(importlib.import_module(module)).values()
        if isinstance(one, type) and issubclass(one, BaseSettings) and one.__module__ == module
    )
    return found


def _settings_of(cls: Any) -> Iterator[tuple[str, str, str]]:
    """Name, default and meaning of each; one that stands in a second class too is told of where it has a docstring."""
    told = _field_docstrings(cls)
    for name, field in cls.model_fields.items():
        if name in told:
            default = getattr(field.default, "get_secret_value", lambda plain=field.default: plain)()
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            yield f"{cls.model_config['env_prefix']}{name}".upper(), "" if default is None else shown, told[name]


def _field_docstrings(cls: Any) -> dict[str, str]:
    (body,) = (node.body for node in ast.parse(textwrap.dedent(inspect.getsource(cls))).body if hasattr(node, "body"))
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }


def _settings_table(rows: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    shown = [(f"`{name}`", f"`{default}`" if default else "", meaning) for name, default, meaning in rows]
    yield from _table(("variable", "default", ""), shown)


def schema() -> Iterator[str]:
    """Every table with its columns, and what each connector reads and is told of."""
    from connectors.registry import find_connectors
    from storage.columns import TYPES
    from storage.models import ControlTable
    from storage.tables import NOTES

    yield "# Tables\n"
    yield "One schema per connector, one table per stream; `syncline` holds the control tables. `\\d+` in `syncline psql` shows the same comments.\n"
    yield "## What is read\n"
    rows = [
        (f"`{name}.{stream.name}`", _names(stream.key), _names(stream.told_by) or "none: polled")
        for name, found in find_connectors().items()
        for stream in found.streams
    ]
    yield from _table(("table", "key, beside `connection_id`", "told by"), rows)
    yield from PUSHED
    yield "## Columns of every stream table\n"
    yield from _table(("column", ""), [(f"`{name}`", note) for name, note in NOTES.items()])
    for name, found in find_connectors().items():
        for stream in found.streams:
            yield f"## {name}.{stream.name}\n"
            about = " ".join((type(stream).__doc__ or "").split())
            yield f"{about} [The provider's document]({stream.source}).\n" if about else f"<{stream.source}>\n"
            columns = [(f"`{key}`", "text", "key") for key in stream.key]
            columns += [(f"`{c}`", TYPES[kind.kind], kind.note or "") for c, kind in stream.columns.items()]
            yield from _table(("column", "type", ""), columns)
    yield "# Control tables\n"
    for table in sorted(ControlTable.metadata.tables.values(), key=lambda table: table.name):
        yield f"## syncline.{table.name}\n"
        yield f"{table.comment}\n"
        columns = [
            (
                f"`{column.name}`",
                str(column.type).lower() + ("" if column.nullable else ", not null"),
                column.comment or "",
            )
            for column in table.columns
        ]
        yield from _table(("column", "type", ""), columns)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


PUSHED = (
    "Each is read in full and by what changed. The last column has the provider's own names: events to subscribe to, `.*` for",
    "all that begin so, or, at Google, the method by which a channel or a watch is asked for. [Webhooks](../webhooks.md) says how.\n",
)


def api() -> Iterator[str]:
    """Every route with what it takes and gives, in curl and in Python."""
    import os

    os.environ.setdefault("SYNCLINE_ADMIN_TOKEN", "for-the-document-alone-0123456789abcdef")
    os.environ.setdefault("SYNCLINE_DATABASE_URL", "postgresql://nobody@localhost/nothing")
    from deployments.web_settings import load
    from web.app import create_app
    from web.documents import document_of, operations
    from web.page_of_problems import MEANINGS

    yield "# REST API\n"
    yield "Below `/api/v1`, with the admin token as bearer. The same as [OpenAPI](https://spec.openapis.org) is at `/openapi.json`, and as a page at `/docs`.\n"
    yield 'Lists are `{"items": […], "next": cursor|null}`; give `next` as `cursor` to go on. Errors are problem documents (RFC 9457).\n'
    yield "In Python the calls below take a client that knows address and token:\n"
    yield PYTHON
    found = operations(document_of(create_app(load())), "https://app.example.com")
    for one in found:
        yield f"## {one.method} {one.path}\n"
        yield f"{one.summary}\n"
        if one.parameters:
            yield from _table(("parameter", "kind", ""), [(f"`{n}`", kind, text) for n, kind, text in one.parameters])
        for word, shape in (("Takes", one.takes), ("Gives", one.gives)):
            if shape:
                yield f"{word}:\n\n```text\n{shape}\n```\n"
        yield f"```bash\n{one.call}\n```\n\n```python\n{one.in_python}\n```\n"
    yield "## Problems\n"
    yield "`type` leads to this table at `/docs`; `detail` says what happened, `action` what to do. [Troubleshooting](../troubleshooting.md) has the codes of providers and of the database.\n"
    yield from _table(("code", ""), [(f"`{code}`", text) for code, text in sorted(MEANINGS.items())])


PYTHON = """```python
import os

import httpx

syncline = httpx.Client(
    base_url="https://app.example.com/api/v1",
    headers={"Authorization": f"Bearer {os.environ['SYNCLINE_ADMIN_TOKEN']}"},
)
for connection in syncline.get("/connections", params={"user_id": "42"}).raise_for_status().json()["items"]:
    print(connection["connector"], connection["external_account_id"], connection["state"])
```
"""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(" ".join(str(cell).replace("|", "\\|").split()) for cell in row) + " |"
    yield ""


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in references().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
