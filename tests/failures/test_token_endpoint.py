"""Case 53: what the token endpoint says, and what that means for the connection."""

import pytest
from starlette.responses import JSONResponse, Response

from connectors.errors import ConnectorError
from connectors.retry import Patience, set_patience
from storage import connections
from tasks.request_book import RequestBook
from tasks.tokens import credentials_of

HTML = "<html><body><h1>Bad gateway</h1></body></html>"

LATER = "unavailable"
SLACK = [
    pytest.param("status", {"status": 500}, LATER, id="500"),
    pytest.param("status", {"status": 503, "retry_after": 1}, LATER, id="503"),
    pytest.param("html", {"status": 502}, LATER, id="502 html"),
    pytest.param("html", {"status": 200}, LATER, id="200 html"),
    pytest.param("hang", {}, LATER, id="silence"),
    pytest.param("drop", {}, LATER, id="dropped"),
    pytest.param("cut_length", {}, LATER, id="cut"),
    pytest.param("error", {"error": "fatal_error"}, LATER, id="fatal_error"),
    pytest.param("error", {"error": "some_new_word"}, LATER, id="a word not known"),
    pytest.param("error", {"error": "invalid_refresh_token"}, "reconnect", id="invalid_refresh_token"),
    pytest.param("error", {"error": "bad_client_secret"}, "misconfigured", id="bad_client_secret"),
    pytest.param("error", {"error": "invalid_client_id"}, "misconfigured", id="invalid_client_id"),
]
GOOGLE = [
    pytest.param(JSONResponse({"error": "internal_failure"}, 500), LATER, id="500"),
    pytest.param(Response(HTML, 502, media_type="text/html"), LATER, id="502 html"),
    pytest.param(Response(HTML, 200, media_type="text/html"), LATER, id="200 html"),
    pytest.param(Response(HTML, 400, media_type="text/html"), LATER, id="400 html"),
    pytest.param(Response("", 200), LATER, id="nothing"),
    pytest.param(JSONResponse({"error": "invalid_request"}, 400), LATER, id="invalid_request"),
    pytest.param(JSONResponse(["invalid_grant"], 400), LATER, id="a list"),
    pytest.param(JSONResponse({"error": "invalid_grant"}, 400), "reconnect", id="invalid_grant"),
    pytest.param(JSONResponse({"error": "invalid_client"}, 401), "misconfigured", id="invalid_client"),
    pytest.param(JSONResponse({"error": "unauthorized_client"}, 401), "misconfigured", id="unauthorized_client"),
    pytest.param(JSONResponse({"error": "rate_limit"}, 429), None, id="429"),
]


@pytest.fixture(autouse=True)
def impatient():
    set_patience(Patience(attempt=2))
    yield
    set_patience()


@pytest.fixture
async def ask(db):
    """`await ask(id)`: the connection as it is afterwards, and the error with which its token was not to be had."""

    async def asked(connection_id):
        error = None
        async with RequestBook(db) as book:
            try:
                await credentials_of(db, book, await connections.get(db, connection_id))
            except ConnectorError as caught:
                error = caught
        return await connections.get(db, connection_id), error

    return asked


@pytest.mark.parametrize(("kind", "options", "meaning"), SLACK)
async def test_slack(ask, slack, grant_slack, kind, options, meaning):
    """Only a refused refresh token asks for a new sign-in; a wrong client blames the settings, all else waits."""
    connection_id = await grant_slack()
    slack.fault(kind, "oauth.v2.access", times=None, **options)

    after, error = await ask(connection_id)

    assert error.code == meaning
    judged(after, error, "SYNCLINE_SLACK_CLIENT_")
    assert len(slack.requests("oauth.v2.access")) == 1


@pytest.mark.parametrize(("answer", "meaning"), GOOGLE)
async def test_google(ask, google_door, grant_google, answer, meaning):
    """Only invalid_grant asks for a new sign-in; a wrong client blames the settings, all else waits."""
    connection_id = await grant_google()
    google_door.answer = answer

    after, error = await ask(connection_id)

    assert error.code == meaning or (meaning is None and error.retry)
    judged(after, error, "SYNCLINE_GOOGLE_CLIENT_")
    assert len(google_door.asked) == 1


async def test_after_a_failure_nobody_asks_for_half_a_minute(ask, google_door, grant_google, rows):
    """A provider that has trouble is left alone by all processes; then one asks, and all is well."""
    connection_id = await grant_google()
    google_door.answer = JSONResponse({}, 500)
    for _ in range(3):
        _, error = await ask(connection_id)
        assert error.code == LATER
    google_door.answer = None
    assert len(google_door.asked) == 1

    rows("UPDATE syncline.connection SET renewal_failed_at = now() - interval '31 seconds'")
    after, error = await ask(connection_id)

    assert (after.state, error, len(google_door.asked)) == ("active", None, 2)


def judged(after, error, variables):
    """The connection waits for its user exactly when it must, and the sentence says what to do."""
    assert after.state == ("needs_reconnect" if error.code == "reconnect" else "active")
    if error.code == "reconnect":
        assert (after.error, after.error_code) == (str(error), "reconnect")
        assert "asked us to reconnect" in str(error)
    if error.code == "misconfigured":
        assert variables in str(error)
    assert "canary" not in str(error)
