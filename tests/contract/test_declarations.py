"""What every connector declares must be fit for a database, a command line and a reader."""

import re
import typing
from pathlib import Path

import pytest

from connectors import columns
from connectors.errors import Misconfigured
from connectors.registry import find_connectors, get
from connectors.session import Session
from tests.contract.conftest import CONNECTORS, STREAMS

ROOT = Path(__file__).parents[2]
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
OURS = {"connection_id", "raw", "synced_at", "deleted_at", "change_seq"}
POSTGRES_OWN = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "oid"}


def test_connectors_are_found_by_their_folders():
    """Each folder beside the framework is one connector, which bears its folder's name."""
    assert CONNECTORS
    for name, connector in find_connectors().items():
        assert connector.name == name
        assert (ROOT / "connectors" / name / "__init__.py").is_file()
    with pytest.raises(LookupError, match=CONNECTORS[0]):
        get("nobody")


def test_what_a_connector_says_of_itself(connector):
    """Its name is an identifier, it has a title, credentials and streams, each stream once."""
    assert IDENTIFIER.fullmatch(connector.name)
    assert connector.title.strip()
    assert connector.credential_fields
    names = [stream.name for stream in connector.streams]
    assert names
    assert len(set(names)) == len(names)
    assert all(connector.stream(name).name == name for name in names)
    with pytest.raises(LookupError, match=names[0]):
        connector.stream("nothing")


@pytest.mark.parametrize(("name", "stream"), STREAMS)
def test_columns_can_be_columns(name, stream):
    """Column names are identifiers that nothing else uses, their paths are steps, their kinds are known."""
    declared = get(name).stream(stream)
    assert IDENTIFIER.fullmatch(declared.name)
    assert declared.key
    assert all(IDENTIFIER.fullmatch(part) for part in declared.key)
    assert len({*declared.columns, *declared.key}) < 100
    for column, what in declared.columns.items():
        assert IDENTIFIER.fullmatch(column)
        assert column not in OURS | POSTGRES_OWN | set(declared.key)
        assert what.kind in typing.get_args(columns.Kind)
        assert all(path and all(isinstance(step, str) and step for step in path) for path in what.paths)


@pytest.mark.parametrize(("name", "stream"), STREAMS)
def test_each_stream_names_its_document(name, stream):
    """A reader finds the provider's description of the record, and a sentence of ours."""
    declared = get(name).stream(stream)

    assert re.fullmatch(r"https://\S+", declared.source)
    assert (type(declared).__doc__ or "").strip()


@pytest.mark.parametrize(("name", "stream"), STREAMS)
def test_each_stream_says_what_is_pushed_of_it(name, stream):
    """A stream of a connector with webhooks names what tells of it, and the documents what to subscribe to by hand."""
    declared, connector = get(name).stream(stream), get(name)
    document = (ROOT / "docs/webhooks.md").read_text()

    assert bool(declared.told_by) == (connector.webhooks is not None)
    by_hand = [one for one in declared.told_by if connector.push is None and not one.endswith(".*")]
    assert [one for one in by_hand if f"`{one}`" not in document] == []


@pytest.mark.parametrize("name", CONNECTORS)
def test_no_name_stands_outside_its_folder(name):
    """A fifth connector is one folder: nothing else in the product knows one by its name."""
    word = re.compile(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", re.IGNORECASE)
    folders = ("connectors", "storage", "tasks", "flows", "deployments", "web", "cli")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    files = [path for path in files if (ROOT / "connectors" / name) not in path.parents]

    assert [str(path) for path in files if word.search(path.read_text())] == []


def test_limits_can_be_overridden(connector, account, monkeypatch, throttle):
    """A malformed override is one sentence that names the variable and not its value."""
    variable = f"SYNCLINE_{connector.name.upper()}_RATE_LIMITS"
    session = Session(account.credentials, "", account.mode, throttle, lambda _: None, 0)
    for wrong in (
        "canary",
        "[]",
        '{"a": 1}',
        '{"a": {"units": "canary"}}',
        '{"a": {"units": -1}}',
        '{"a": {"per": 1}}',
    ):
        monkeypatch.setenv(variable, wrong)
        with pytest.raises(Misconfigured, match=variable) as caught:
            connector.open(session)
        assert "canary" not in str(caught.value)
