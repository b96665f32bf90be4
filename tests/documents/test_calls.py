"""The calls of the API's reference, in curl and in Python, made as they are written."""

import asyncio
import json
import os
import re
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.fixtures.site import ADMIN_TOKEN

TEXT = (Path(__file__).parents[2] / "docs/reference/api.md").read_text()
CALLS = re.findall(
    r"^## ([A-Z]+ /\S+)\n.*?^```bash\n(.*?)^```\n\n```python\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL
)
WRONG = {
    "bad_request",
    "idempotency_key_malformed",
    "idempotency_key_missing",
    "malformed_request",
    "method_not_allowed",
    "not_found",
    "unauthorized",
    "unexpected",
    "unknown_host",
    "unsupported_media_type",
}
"""What a call that is written wrongly is answered; what is missing here, such as a provider, is not its fault."""

ONLY_GOOGLE = {"GET /api/v1/connections/{connection_id}/calendar-occurrences": {"not_found"}}
"""The connection here is of another provider."""


@pytest.fixture
async def filled_in(site, provider, monkeypatch):
    """The reader's own values: a connection of theirs, and ids that stand for others."""
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", provider.url)
    asked = {"connector": "stripe", "user_id": "42", "credentials": {"api_key": provider.key}}
    connection = (await site.api.post("/connections", json=asked)).json()
    return {
        "connection_id": connection["id"],
        "event_id": str(uuid4()),
        "record_id": str(uuid4()),
        "action": "gmail.send_email",
        "calendar_id": "ada@example.com",
        "time_min": "2026-03-01T00:00:00Z",
        "time_max": "2026-03-08T00:00:00Z",
    }


def test_every_operation_has_its_calls():
    """No operation of the reference lacks one."""
    assert len(CALLS) == len(re.findall(r"^## [A-Z]+ /", TEXT, flags=re.MULTILINE)) > 10


async def test_what_is_written_is_what_the_route_takes(site, filled_in):
    """Each call reaches its route and is understood, whichever way it is made; disconnecting comes last."""
    for operation, curl, python in sorted(CALLS, key=lambda call: call[0].startswith("DELETE")):
        _is_understood(operation, *await _curled(curl, site.url, filled_in))
        answer = await asyncio.to_thread(_called, python, site.url, filled_in)
        _is_understood(operation, answer.status_code, answer.text)


async def _curled(command, url, names):
    for name, value in names.items():
        command = command.replace(f"{{{name}}}", value)
    command = command.strip().replace("https://app.example.com", url)
    running = await asyncio.create_subprocess_shell(
        command + " --silent --show-error --write-out '\n%{http_code}'",
        env={"SYNCLINE_ADMIN_TOKEN": ADMIN_TOKEN, "PATH": os.environ["PATH"], "NO_PROXY": "*"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await running.communicate()
    assert running.returncode == 0, complaint
    body, _, status = said.decode().rpartition("\n")
    return int(status), body


def _called(code, url, names):
    token = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=token, trust_env=False, verify=False, timeout=60) as syncline:
        return eval(code, {"syncline": syncline, **names})


def _is_understood(operation, status, body):
    code = "" if status < 300 else json.loads(body)["code"]
    assert code not in WRONG - ONLY_GOOGLE.get(operation, set()), f"{operation}: {body}"
