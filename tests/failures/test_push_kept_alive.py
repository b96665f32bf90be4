"""Channels and watches end, are refused, fail, lead elsewhere, are killed with a run: each subject has one again."""

import pytest

from storage import alerts
from storage.push_channels import claimed
from tests.fixtures.syncing import until

SOON = "UPDATE syncline.push_channel SET expires_at = now() + interval '40 hours' WHERE state = 'active'"
TOO_SOON = "UPDATE syncline.push_channel SET expires_at = now() + interval '20 hours' WHERE state = 'active'"
STATES = "SELECT subject, state FROM syncline.push_channel WHERE state <> 'stopped' ORDER BY subject, created_at"


@pytest.fixture
def home(web_environment):
    """Where a web application would be; nobody answers there."""
    web_environment.setenv("SYNCLINE_PUBLIC_URL", "http://127.0.0.1:9")
    return web_environment


@pytest.fixture
def watched(google, rows):
    """`watched()`: the ids of the provider's channels, of which it has one for each subject, as our rows say."""

    def watched(count=2):
        there = google.channels()["items"]
        assert len({one["calendar"] for one in there}) == len(there) == count
        ours = rows("SELECT id FROM syncline.push_channel WHERE state = 'active' AND expires_at > now()")
        assert {row["id"] for row in ours} == {one["id"] for one in there}
        return {one["id"] for one in there}

    return watched


def asked(google):
    """The methods that were called, in order."""
    paths = [row["path"] for row in google.requests() if "/calendar/v3/" in row["path"]]
    return [path.rsplit("/", 1)[-1].replace(google.email, "primary") for path in paths]


async def test_maintenance_renews(google, home, calendar_sync, calendar_copies, watched, rows):
    """New channels first, then the old ones are stopped, then what changed is read; once it is done nothing is due."""
    await calendar_sync(full=True)
    before = watched()
    assert (await calendar_sync(renew=True))["renewed"] == 0
    rows(SOON)
    google.forget_ledger()

    assert (await calendar_sync(renew=True))["renewed"] == 1

    assert not watched() & before
    steps = asked(google)
    for turn in (0, 1):
        assert steps.index("watch") < steps.index("stop"), turn
        steps = steps[steps.index("stop") + 1 :]
    assert "events" in steps
    assert rows("SELECT trigger, outcome FROM syncline.sync_run ORDER BY started_at")[-1] == {
        "trigger": "schedule",
        "outcome": "done",
    }
    assert (await calendar_sync(renew=True))["renewed"] == 0
    calendar_copies.hold()


async def test_by_the_flow_of_the_deployment(google, home, calendar_sync, watched, rows):
    """`maintenance/hourly` does so beside everything else that it does."""
    await calendar_sync(full=True)
    before = watched()
    rows(SOON)

    await calendar_sync(renew=True, flow=True)

    assert not watched() & before


async def test_what_changes_before_the_channel_is_made(google, home, calendar_sync, calendar_copies):
    """After the last look and before there is a channel nobody tells of a change: the same run looks once more."""
    google.create_event("Before")
    google.fault("hold", "events.watch", seconds=3)
    under_way = await calendar_sync.start(full=True)
    await until(lambda: not google.faults(), "the request for a channel")
    google.create_event("Between")

    assert (await under_way.result())["outcome"] == "done"

    assert {raw["summary"] for raw in calendar_copies.alive().values()} == {"Before", "Between"}


async def test_a_calendar_that_is_refused(google, home, calendar_sync, calendar_copies, rows, site):
    """It is polled, said so in status, and asked for again a day later; the run is done and the others are pushed."""
    google.create_calendar("Team")
    google.fault("error", "events.watch", status=400, reason="pushNotSupportedForRequestedResource", times=1)
    await calendar_sync(full=True)
    assert sorted(row["state"] for row in rows(STATES)) == ["active", "active", "refused"]

    google.forget_ledger()
    google.create_event("Polled")
    await calendar_sync()
    calendar_copies.hold()
    assert google.requests("events.watch") == []
    [standing] = (await site.api.get("/status")).json()["connections"]
    assert {one["stream"]: one["push"]["state"] for one in standing["streams"]} == {
        "calendars": "active",
        "events": "active",
    }

    rows("UPDATE syncline.push_channel SET tried_at = now() - interval '25 hours'")
    await calendar_sync()
    assert {row["state"] for row in rows(STATES)} == {"active"}
    assert len(google.channels()["items"]) == 3


async def test_an_end_that_cannot_be_put_off(google, home, calendar_sync, rows, db):
    """When half of the time for renewing is over one alert is raised, and no other; a renewal clears it, and nothing
    is stopped before.
    """
    await calendar_sync(full=True)
    before = {one["id"] for one in google.channels()["items"]}
    google.fault("error", "events.watch", status=500, times=None)
    google.fault("error", "calendarList.watch", status=500, times=None)
    calendar_sync.patience |= {"budget": 0.2}
    rows(SOON)
    await calendar_sync(renew=True)
    assert await alerts.open_alerts(db) == []

    rows(TOO_SOON)
    for _ in range(3):
        await calendar_sync(renew=True)

    [alert] = await alerts.open_alerts(db)
    assert (alert["kind"], alert["service"]) == ("push_expiring", "google_calendar")
    assert alert["connection_id"] == str(calendar_sync.connection_id)
    assert "Google Calendar" in alert["sentence"]
    assert "polled" in alert["sentence"]
    assert {one["id"] for one in google.channels()["items"]} == before
    assert (
        len(rows("SELECT 1 AS one FROM syncline.push_channel WHERE state = 'failed'")) == 2
    )  # not one more for each try
    assert {row["outcome"] for row in rows("SELECT outcome FROM syncline.sync_run")} == {"done"}

    google.lift()
    await calendar_sync()
    assert await alerts.open_alerts(db) == []
    assert not {one["id"] for one in google.channels()["items"]} & before


async def test_an_end_that_only_the_user_can_put_off(google, home, calendar_sync, rows, db):
    """Access that was revoked is told of before the channels end: the account is to be connected again."""
    await calendar_sync(full=True)
    google.revoke()
    rows(TOO_SOON)

    await calendar_sync(renew=True)

    assert rows("SELECT state FROM syncline.connection") == [{"state": "needs_reconnect"}]
    raised = {alert["kind"]: alert["sentence"] for alert in await alerts.open_alerts(db)}
    assert set(raised) == {"needs_reconnect", "push_expiring"}
    assert "connected again" in raised["push_expiring"]


@pytest.mark.parametrize("done", [False, True], ids=["before it is made", "after it was made"])
async def test_killed_between_asking_and_noting(google, home, calendar_sync, calendar_copies, watched, rows, db, done):
    """The next run makes another channel; until then deliveries by the unnoted one are taken, and none afterwards."""
    google.fault("hang" if done else "hold", "events.watch", seconds=30)
    under_way = await calendar_sync.start(full=True)
    await until(lambda: not google.faults(), "the request for a channel")
    await until(lambda: len(google.channels()["items"]) == (2 if done else 1), "the channels")
    under_way.kill()
    assert await under_way.result() is None
    google.lift()
    [unnoted] = rows("SELECT id, state FROM syncline.push_channel WHERE expires_at IS NULL")
    assert unnoted["state"] == "active"
    assert await claimed(db, "google_calendar", unnoted["id"]) is not None
    google.create_event("After")

    await calendar_sync()

    assert await claimed(db, "google_calendar", unnoted["id"]) is None
    assert [row["state"] for row in rows(STATES)] == ["active", "active"]
    there = {one["id"] for one in google.channels()["items"]} - {unnoted["id"]}
    assert there == {row["id"] for row in rows("SELECT id FROM syncline.push_channel WHERE state = 'active'")}
    assert len(there) == 2
    calendar_copies.hold()


async def test_killed_between_the_new_and_the_old(google, home, calendar_sync, watched, rows):
    """The old channel is stopped by the next run."""
    await calendar_sync(full=True)
    before = watched()
    rows(SOON)
    google.fault("hold", "channels.stop", seconds=30)
    under_way = await calendar_sync.start()
    await until(lambda: not google.faults(), "the request to stop a channel")
    under_way.kill()
    await under_way.result()
    google.lift()
    assert len(google.channels()["items"]) == 3

    await calendar_sync()

    assert not watched() & before


async def test_runs_at_once_make_one_channel(google, home, calendar_sync, watched):
    """Of runs beside each other one does the work, so no subject has two channels."""
    calendar_sync.alone = False
    started = [await calendar_sync.start(full=True) for _ in range(3)]
    outcomes = [(await one.result())["outcome"] for one in started]
    assert set(outcomes) <= {"done", "continued", "skipped"}
    watched()


async def test_another_address(google, home, calendar_sync, watched, rows):
    """After the public address has changed, every channel is made anew for it, and the old ones are stopped."""
    await calendar_sync(full=True)
    before = watched()
    home.setenv("SYNCLINE_PUBLIC_URL", "http://127.0.0.1:10/")

    await calendar_sync()

    assert not watched() & before
    found = rows("SELECT DISTINCT address FROM syncline.push_channel WHERE state = 'active'")
    assert found == [{"address": "http://127.0.0.1:10/webhooks/google_calendar"}]


async def test_a_calendar_that_is_gone(google, home, calendar_sync, watched):
    """Its channel is stopped; the others stay."""
    other = google.create_calendar("Team")["id"]
    await calendar_sync(full=True)
    before = watched(3)
    google.unlist(other)

    await calendar_sync()

    assert watched(2) < before


async def test_nobody_knows_where_we_are(google, calendar_sync, calendar_copies, rows, monkeypatch):
    """Without a public address nothing is asked for; what changes is polled."""
    monkeypatch.delenv("SYNCLINE_PUBLIC_URL", raising=False)
    await calendar_sync(full=True)
    google.create_event("Polled")
    await calendar_sync()
    assert (rows(STATES), google.channels()["items"]) == ([], [])
    calendar_copies.hold()


async def test_too_many_requests(google, home, calendar_sync, calendar_copies, rows):
    """A provider that asks us to slow down with channels does not keep the run from being done; the next one asks."""
    calendar_sync.patience |= {"budget": 0.2}
    google.fault(
        "error", "calendarList.watch", status=403, reason="rateLimitExceeded", domain="usageLimits", times=None
    )
    await calendar_sync(full=True)
    calendar_copies.hold()
    assert "failed" in {row["state"] for row in rows(STATES)}
    google.lift()

    await calendar_sync()
    assert [row["state"] for row in rows(STATES)] == ["active", "active"]


async def test_the_second_look_reads_nothing_in_full(google, home, calendar_sync, rows):
    """A full sync that was due is carried out once, though channels were made by the same run."""
    await calendar_sync(full=True)
    rows("DELETE FROM syncline.push_channel")
    rows("UPDATE syncline.connection SET full_due = true")
    google.forget_ledger()

    await calendar_sync()

    queries = [str(row.get("query")) for row in google.requests("events.list")]
    assert len([query for query in queries if "syncToken" not in query]) == 1
    assert len(queries) > 1


async def test_a_topic_that_gmail_may_not_publish_to(google, home, mail_sync, mail_copies, rows, site):
    """The mailbox is polled, and status names the setting; once it is corrected the next sync watches the mailbox."""
    home.setenv("SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT", "push@sandbox.iam.gserviceaccount.com")
    home.setenv("SYNCLINE_GMAIL_PUBSUB_TOPIC", "projects/sandbox/topics/another")
    google.load(messages=3)
    await mail_sync(full=True)
    google.deliver("Polled")
    await mail_sync()
    mail_copies.hold()
    assert google.channels()["watched_until"] is None
    [standing] = (await site.api.get("/status")).json()["connections"]
    for push in (one["push"] for one in standing["streams"]):
        assert push["state"] == "failed"
        assert "SYNCLINE_GMAIL_PUBSUB_TOPIC" in push["reason"]

    home.setenv("SYNCLINE_GMAIL_PUBSUB_TOPIC", "projects/sandbox/topics/mail")
    await mail_sync()
    assert google.channels()["watched_until"] is not None
    assert rows(STATES) == [{"subject": "", "state": "active"}]


async def test_a_watch_is_renewed_daily(google, home, mail_sync, rows):
    """With less than six days left the next run asks again, and stops nothing: there is one watch for a mailbox."""
    home.setenv("SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT", "push@sandbox.iam.gserviceaccount.com")
    home.setenv("SYNCLINE_GMAIL_PUBSUB_TOPIC", "projects/sandbox/topics/mail")
    await mail_sync(full=True)
    first = google.channels()["watched_until"]
    await mail_sync()
    assert google.channels()["watched_until"] == first
    rows("UPDATE syncline.push_channel SET expires_at = now() + interval '143 hours'")

    await mail_sync(renew=True)

    assert google.channels()["watched_until"] > first
    assert google.requests("users.stop") == []
    assert rows(STATES) == [{"subject": "", "state": "active"}]
