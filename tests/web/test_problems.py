import html

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from connectors import errors
from deployments.web_settings import Web
from tests.fixtures.site import ADMIN_TOKEN
from web.answers import answer
from web.problems import problem_of

WITHIN_A_SYNC = (errors.ConnectorError, errors.CursorExpired)
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.ConnectorError) and kind not in WITHIN_A_SYNC
]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_provider_does_is_told_with_what_to_do(kind):
    """Every error of a provider has a status of its own, a sentence and something that can be done."""
    problem = problem_of(kind("Acme"))

    assert 400 <= problem.status < 600
    assert "Acme" in problem.detail
    assert problem.action
    assert ("Retry-After" in problem.headers) == (problem.status == 503)


@pytest.mark.parametrize("status", [400, 404, 405, 418, 431])
def test_what_the_server_refuses_is_told_with_what_to_do(status):
    """What no code of ours foresaw has a code, a sentence and something that can be done too."""
    problem = problem_of(HTTPException(status))

    assert (problem.status, bool(problem.code), bool(problem.detail), bool(problem.action)) == (
        status,
        True,
        True,
        True,
    )


async def test_a_body_that_is_no_json_is_named(site):
    """The place of the mistake is the body, whatever character it is at."""
    asked = site.api.post("/connections", content=b'{"a": ', headers={"Content-Type": "application/json"})
    said = (await asked).json()

    assert said["detail"] == "This request is malformed: body: should be JSON."
    assert said["action"]


def test_people_are_told_once():
    """On a page a provider's sentence stands alone: it says itself what to do, and nothing of headers."""
    limited = errors.TryLater("Acme")
    request = Request({"type": "http", "path": "/", "headers": [(b"accept", b"text/html")]})

    text = answer(
        request, problem_of(limited), Web("http://127.0.0.1:8000", frozenset(), ADMIN_TOKEN, ())
    ).body.decode()

    assert str(limited) in html.unescape(text)
    assert "Retry-After" not in text
