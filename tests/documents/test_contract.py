"""docs/contract.json and the product name the same commands, settings, tables, routes and deployments."""

import ast
import importlib
import json
import pkgutil
import re
from pathlib import Path

import pytest
import typer.main
import yaml
from pydantic_settings import BaseSettings

from cli.main import app

ROOT = Path(__file__).parents[2]
PRODUCT = ("connectors", "storage", "tasks", "flows", "deployments", "web", "cli")
CONTRACT = json.loads((ROOT / "docs/contract.json").read_text())


def _commands(group, prefix=""):
    for name, command in group.commands.items():
        runs_alone = not hasattr(command, "commands") or command.invoke_without_command
        if runs_alone:
            yield f"{prefix}{name}", command
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix}{name} ")


COMMANDS = dict(_commands(typer.main.get_command(app)))


def test_commands():
    """Every command that is promised exists, and every one that exists is promised."""
    assert sorted(COMMANDS) == CONTRACT["commands"]


@pytest.mark.parametrize("command", CONTRACT["options"])
def test_options(command):
    """Every option that is promised exists."""
    known = {option for parameter in COMMANDS[command].params for option in parameter.opts}

    assert set(CONTRACT["options"][command]) <= known


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"demo", "up", "psql"}))
def test_every_command_has_json(command):
    """Every command but those that are a dialogue prints one JSON object on demand."""
    assert "--json" in {option for parameter in COMMANDS[command].params for option in parameter.opts}


def _modules():
    for package in PRODUCT:
        folder = importlib.import_module(package)
        for found in pkgutil.walk_packages(folder.__path__, f"{package}."):
            if ".migrations" not in found.name:
                yield importlib.import_module(found.name)


def _settings_classes(cls=BaseSettings):
    for sub in cls.__subclasses__():
        yield sub
        yield from _settings_classes(sub)


def _settings():
    modules = {module.__name__ for module in _modules()}
    for cls in _settings_classes():
        if cls.__module__ in modules:
            yield from (f"{cls.model_config['env_prefix']}{name}".upper() for name in cls.model_fields)
    for module in modules:
        tree = ast.parse(Path(importlib.import_module(module).__file__).read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.findall(r"^SYNCLINE_[A-Z_]*[A-Z]$", node.value)
    for connector in importlib.import_module("connectors.registry").find_connectors():
        yield f"SYNCLINE_{connector}_RATE_LIMITS".upper()


def test_settings():
    """Every setting that is promised is read somewhere, and every one that is read is promised."""
    assert sorted({name for name in _settings() if name.startswith("SYNCLINE_")}) == CONTRACT["settings"]


def test_settings_are_documented():
    """The reference of settings is complete, and every one in it has a meaning."""
    text = (ROOT / "docs/reference/settings.md").read_text()

    assert [
        name for name in CONTRACT["settings"] if not re.search(rf"^\| `{name}` \| .* \| \S.* \|$", text, re.MULTILINE)
    ] == []


def test_tables():
    """The tables are those of the connectors' streams and the control tables for people, which all exist."""
    from connectors.registry import find_connectors
    from storage import models

    streams = {f"{name}.{stream.name}" for name, found in find_connectors().items() for stream in found.streams}
    control = {f"{table.schema}.{table.name}" for table in models.ControlTable.metadata.tables.values()}
    promised = set(CONTRACT["tables"])

    assert {name for name in promised if not name.startswith("syncline.")} == streams
    assert {name for name in promised if name.startswith("syncline.")} <= control


@pytest.mark.parametrize("table", [name for name in CONTRACT["columns"] if name.startswith("syncline.")])
def test_columns_for_people(table):
    """The columns that people query exist."""
    from storage import models

    assert set(CONTRACT["columns"][table]) <= set(models.ControlTable.metadata.tables[table].columns.keys())


def _routes():
    from web.app import PAGES, api

    for router in (api(), *(part.router for part in PAGES)):
        yield from _routes_of(router, "")


def _routes_of(router, prefix):
    for route in router.routes:
        if inner := getattr(route, "original_router", None):
            yield from _routes_of(inner, prefix + route.include_context.prefix)
        else:
            yield from (f"{method} {prefix}{route.path}" for method in route.methods - {"HEAD"})


def test_routes():
    """Every route that is promised exists, and every one that exists is promised."""
    assert sorted(_routes()) == CONTRACT["routes"]


def test_deployments():
    """prefect.yaml holds exactly the promised deployments."""
    said = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    names = [f"{one['entrypoint'].rsplit('.', 1)[-1].replace('_', '-')}/{one['name']}" for one in said]

    assert sorted(names) == CONTRACT["deployments"]
