"""docs/connecting.md: what is asked for, what can be done, and the call that makes a link."""

import asyncio
import json
import os
import re
from pathlib import Path

from connectors.registry import find_connectors
from tests.fixtures.site import ADMIN_TOKEN, running

TEXT = (Path(__file__).parents[2] / "docs/connecting.md").read_text()
ACTIONS = {action.name: action for connector in find_connectors().values() for action in connector.actions}


def _rows(title):
    part = TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")][1:]


def test_what_is_asked_for_is_what_is_listed():
    """Each scope that a user is asked for stands in the table, and no other."""
    listed, connector = {}, None
    for row in _rows("What is asked for, and why"):
        *named, scopes, _ = row
        connector = named[0] if named else connector
        listed.setdefault(connector, []).extend(re.findall(r"`([^`]+)`", scopes))

    asked = {
        name: [scope.rpartition("/")[2] for scope in connector.asked_scopes]
        for name, connector in find_connectors().items()
        if hasattr(connector, "asked_scopes")
    }
    assert {name: sorted(scopes) for name, scopes in listed.items()} == {
        name: sorted(scopes) for name, scopes in asked.items()
    }


def test_every_action_is_listed_with_what_it_takes():
    """Each action has its row, with the names of its body: those that may be left out with a question mark."""
    listed = {row[0].strip("`"): set(re.findall(r"`(\w+\??)`", row[1])) for row in _rows("Actions")}

    assert listed == {
        name: {field if one.is_required() else f"{field}?" for field, one in action.body.model_fields.items()}
        for name, action in ACTIONS.items()
    }


async def test_the_call_that_makes_a_link(web_environment):
    """It is answered as the document says, once the origin is among those that are known."""
    web_environment.setenv("SYNCLINE_SLACK_CLIENT_ID", "1.2")
    web_environment.setenv("SYNCLINE_SLACK_CLIENT_SECRET", "a secret")
    web_environment.setenv("SYNCLINE_RETURN_ORIGINS", "https://app.example.com")
    (call,) = re.findall(r"^```sh\n(curl .*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
    async with running() as site:
        process = await asyncio.create_subprocess_shell(
            call.strip().replace("http://127.0.0.1:8000", site.url) + " --silent --show-error",
            env={"SYNCLINE_ADMIN_TOKEN": ADMIN_TOKEN, "PATH": os.environ["PATH"], "NO_PROXY": "*"},
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()

    assert set(json.loads(said)) == {"url", "expires_at"}
