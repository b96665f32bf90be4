"""Maintenance renews what nobody uses."""

from starlette.responses import JSONResponse

from storage import connections, pausing
from tasks.tokens import renew_idle


async def test_idle_grants_are_renewed(db, slack, grant_slack, google_door, grant_google, rows):
    """A paused connection of a week ago and one whose token ends soon are renewed, and asked for once."""
    paused, soon = await grant_slack(holds=40_000), await grant_google(holds=60)
    await pausing.set_paused(db, paused, paused=True)
    rows("UPDATE syncline.connection SET updated_at = now() - interval '8 days' WHERE id = %s", [paused])
    before = {each: await connections.credentials(db, each) for each in (paused, soon)}

    assert await renew_idle(db) == 2

    for each in (paused, soon):
        assert (await connections.credentials(db, each))["access_token"] != before[each]["access_token"]
    assert (len(slack.requests("oauth.v2.access")), len(google_door.asked)) == (1, 1)
    assert (await connections.get(db, paused)).state == "paused"


async def test_one_that_fails_stops_no_other(db, slack, grant_slack, google_door, grant_google):
    """A provider in trouble and a grant that is over keep nobody else's token from being renewed."""
    gone, other = await grant_google(account="gone@example.com"), await grant_slack()
    google_door.answer = JSONResponse({"error": "invalid_grant"}, 400)

    assert await renew_idle(db) == 1

    assert (await connections.get(db, gone)).state == "needs_reconnect"
    assert (await connections.get(db, other)).state == "active"
    assert len(slack.requests("oauth.v2.access")) == 1
