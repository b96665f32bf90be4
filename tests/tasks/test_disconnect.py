"""What a disconnect does at the provider."""

import time

import pytest
from starlette.responses import JSONResponse

from storage import connections
from tasks.disconnect import disconnect


def revocations(slack):
    return [asked for asked in slack.requests("auth.revoke") if asked["status"] == 200]


async def test_the_grant_is_revoked_once(db, slack, grant_slack):
    """With its only connection the app leaves the workspace; a second disconnect, with a purge, asks nothing more."""
    connection_id = await grant_slack(holds=3600)

    left = await disconnect(db, connection_id)
    await disconnect(db, connection_id, purge=True)

    assert left.state == "disconnected"
    assert len(revocations(slack)) == 1
    assert not any(token["good"] for token in slack.tokens())


async def test_a_shared_grant_is_revoked_with_the_last(db, slack, grant_slack):
    """Two users connected the workspace: the first to leave takes nothing from the other."""
    first, second = await grant_slack(holds=3600), await grant_slack(holds=3600, user_id="user-2")

    await disconnect(db, first)
    assert revocations(slack) == []
    assert any(token["good"] for token in slack.tokens())

    await disconnect(db, second)
    assert len(revocations(slack)) == 1


async def test_an_access_token_that_has_ended_revokes_too(db, slack, grant_slack):
    """It is renewed first, and not taken for a grant that is over."""
    connection_id = await grant_slack(holds=3600)
    slack.expire()

    await disconnect(db, connection_id)

    assert len(slack.requests("oauth.v2.access")) == 1
    assert not any(token["good"] for token in slack.tokens())


async def test_a_grant_that_is_over_is_no_error(db, slack, grant_slack):
    """Whoever removed the app at the provider can disconnect here as well."""
    connection_id = await grant_slack(holds=3600)
    slack.revoke()

    assert (await disconnect(db, connection_id)).state == "disconnected"


@pytest.mark.parametrize("answer", [None, JSONResponse({}, 500)], ids=["silence", "500"])
async def test_a_provider_that_does_not_answer(db, google_door, grant_google, caplog, answer):
    """The connection ends within ten seconds all the same, and the log says that the grant was not revoked."""
    connection_id = await grant_google(holds=3600)
    google_door.answer, google_door.delay = answer, 0.0 if answer else 30.0
    began = time.monotonic()

    left = await disconnect(db, connection_id)

    took = time.monotonic() - began
    print(f"\ndisconnected after {took:.1f} s")
    assert took < 10
    assert left.state == "disconnected"
    assert f"grant not revoked connection={connection_id}" in caplog.text
    with pytest.raises(Exception, match="forgotten"):
        await connections.credentials(db, connection_id)
