"""The API's documents: complete, and loading nothing from elsewhere."""

import ast
import re
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fixtures.sizes import size
from web.page_of_problems import MEANINGS

EXAMPLES = size(10, 100)
"""Of each operation."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
WEB = Path(__file__).parents[2] / "web"


async def test_the_document_names_every_operation_once(site):
    """Each operation has an id of its own, a description, the admin token, and problems as its errors."""
    document = (await site.stranger.get("/openapi.json")).json()

    operations = [one for methods in document["paths"].values() for one in methods.values()]
    ids = [one["operationId"] for one in operations]
    assert len(set(ids)) == len(ids)
    for one in operations:
        assert one["description"].endswith(".")
        assert one["security"] == [{"HTTPBearer": []}]
        assert "application/problem+json" in one["responses"]["default"]["content"]


async def test_the_page_shows_every_operation(site):
    """The page has every operation and every problem, and its own host is all that it needs."""
    document = (await site.stranger.get("/openapi.json")).json()
    page = (await site.stranger.get("/docs")).text

    for methods in document["paths"].values():
        assert all(f'id="{one["operationId"]}"' in page for one in methods.values())
    assert all(f'id="problem-{code.replace("_", "-")}"' in page for code in MEANINGS)
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]+"', page) == []
    assert "<script" not in page


async def test_styles_and_icon_are_served_here(site):
    """What pages link to is there, and names nothing elsewhere."""
    for path, kind in (("/static/syncline.css", "text/css"), ("/static/icon.svg", "image/svg+xml")):
        answer = await site.stranger.get(path)
        assert answer.headers["content-type"].startswith(kind)
        assert "url(" not in answer.text
    assert (await site.stranger.get("/static/../app.py")).status_code == 404
    assert (await site.stranger.get("/static/%2e%2e/app.py")).status_code == 404


def test_every_code_has_a_meaning():
    """Each problem that the application itself raises is explained on its page."""
    codes = {
        call.args[1].value
        for path in WEB.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "Problem"
        and len(call.args) > 1
        and isinstance(call.args[1], ast.Constant)
    }

    assert codes
    assert codes <= set(MEANINGS)


def test_templates_escape_everything():
    """No template switches escaping off, and none has a script or a style of its own in it."""
    for path in (WEB / "templates").rglob("*.html"):
        text = path.read_text()
        assert "safe" not in re.findall(r"\|\s*(\w+)", text)
        assert "autoescape" not in text
        assert not re.search(r"<script(?! src=)|<style|style=| on\w+=", text)


@pytest.mark.timeout(300)
async def test_whatever_is_sent_is_answered_as_documented(site, consent, provider, monkeypatch):
    """Requests made up from the document, valid and not, are never a server error and always answered as it says."""
    import asyncio

    from tests.fixtures.site import ADMIN_TOKEN

    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", provider.url)
    schema = await asyncio.to_thread(schemathesis.openapi.from_url, f"{site.url}/openapi.json")
    token = {"Authorization": f"Bearer {ADMIN_TOKEN}"}

    def run():
        for result in schema.get_all_operations():
            operation = result.ok()

            @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            @given(case=operation.as_strategy())
            def check(case):
                case.call_and_validate(base_url=site.url, headers=token, checks=CHECKS)

            check()

    await asyncio.to_thread(run)
