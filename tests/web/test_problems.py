import pytest
from starlette.exceptions import HTTPException

from connectors import errors
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

    assert said["detail"] == "This request is malformed: body: not JSON."
    assert said["action"]
