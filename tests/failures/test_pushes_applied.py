"""What Slack, Google Calendar and Gmail push, by real deliveries: to the row, to the end of access, and to a stop."""

import asyncio

import pytest

from storage import connections, push_channels
from storage.database import open_database
from tasks.disconnect import disconnect
from tests.fixtures.site import running
from tests.fixtures.sizes import size
from tests.fixtures.syncing import until

EVENTS = "SELECT event_type, status, attempts, error FROM syncline.webhook_event ORDER BY received_at, id"
TOPIC, ACCOUNT = "projects/sandbox/topics/mail", "push@sandbox.iam.gserviceaccount.com"


@pytest.fixture
async def site(web_environment):
    """Takes what is delivered; providers know its address."""
    async with running() as opened:
        web_environment.setenv("SYNCLINE_PUBLIC_URL", opened.url)
        yield opened


async def delivered(provider, at_least=1):
    """So much was sent, and all of it has been acknowledged."""
    await until(lambda: len(provider.deliveries()) >= at_least, f"{at_least} deliveries")
    await until(lambda: all(one["statuses"][-1:] == [200] for one in provider.deliveries()), "every acknowledgement")


@pytest.fixture
async def pushing_slack(slack, slack_sync, site):
    """A connected workspace that has been read, and tells what happens in it."""
    slack.webhooks(f"{site.url}/webhooks/slack")
    slack.load(2, 10, replies=2, seed=1, spread=3_600)
    await slack_sync()
    return slack


async def test_slack(pushing_slack, slack_sync, copies, rows):
    """Messages made, changed, deleted and answered, channels and people: the rows are there without a poll."""
    slack = pushing_slack
    slack.create_channel("news")
    kept, gone = slack.post("news", "kept")["ts"], slack.post("news", "gone")["ts"]
    slack.edit("news", kept, "edited")
    slack.delete("news", gone)
    reply = slack.reply("news", kept, "well")["ts"]
    user = slack.add_user("ada")["id"]
    slack.change_user(user, real_name="Ada L.")
    slack.change_channel("news", topic="all of it")
    slack.archive("news")
    await delivered(slack, 9)
    read = len([row for row in slack.requests() if "conversations.h" in row["route"] or "repl" in row["route"]])

    await slack_sync(linger=0)

    assert {row["status"] for row in rows(EVENTS)} == {"applied"}
    told = {row["ts"]: row for row in rows("SELECT * FROM slack.messages WHERE ts = ANY(%s)", [[kept, gone, reply]])}
    assert told[kept]["text"] == "edited"
    assert told[kept]["edited_at"] is not None
    assert told[reply]["thread_ts"] == kept
    assert told[gone]["deleted_at"] is not None
    assert told[gone]["text"] == "gone"
    assert rows("SELECT is_archived FROM slack.channels WHERE name = 'news'") == [{"is_archived": True}]
    assert rows("SELECT name FROM slack.users WHERE id = %s", [user]) == [{"name": "ada"}]
    after = len([row for row in slack.requests() if "conversations.h" in row["route"] or "repl" in row["route"]])
    assert after == read  # an app may ask for history once a minute
    slack.settings(skew=1800)
    await slack_sync()
    copies.hold(slack_sync.connection_id)


async def test_channels_that_were_left_and_deleted(pushing_slack, slack_sync, copies, rows):
    """The row of a channel that the app was removed from stays, and a user's who is not found; what is deleted goes."""
    slack = pushing_slack
    made = {}
    for name in ("open", "closed", "open-gone", "closed-gone"):
        made[name] = slack.create_channel(name, private=name.startswith("closed"))["id"]
    user = slack.add_user("ada")["id"]
    await delivered(slack, 5)
    await slack_sync()
    await slack_sync(linger=0)
    slack.fault("error", "users.info", error="user_not_found", query=user)
    slack.change_user(user, real_name="Ada L.")
    for name in ("open", "closed"):
        slack.leave(name)
        slack.delete_channel(f"{name}-gone")
    await delivered(slack, 10)
    asked = len(slack.requests("conversations.info"))

    await slack_sync(linger=0)

    assert len(slack.requests("conversations.info")) == asked + 2
    assert {row["status"] for row in rows(EVENTS)} == {"applied"}

    channels = copies.stored(slack_sync.connection_id, "channels")
    assert {name for name, channel in made.items() if channels[channel]["deleted_at"]} == {"open-gone", "closed-gone"}
    assert channels[made["closed-gone"]]["raw"]["name"] == "closed-gone"
    assert copies.stored(slack_sync.connection_id, "users")[user]["deleted_at"] is None


@pytest.mark.parametrize("seed", range(size(1, 4)))
async def test_slack_in_any_order(pushing_slack, slack_sync, copies, seed):
    """Late, doubled and shuffled beside syncs of the same channels: after one more look all is equal."""
    slack = pushing_slack
    slack_sync.alone = False
    for turn in range(2):
        slack.hold()
        slack.shake(seed=seed * 100 + turn, times=12)
        reading = await slack_sync.start(full=turn == 1)
        slack.shake(seed=seed * 100 + turn + 50, times=8)
        slack.release(order=seed, repeat=0.3)
        draining = await slack_sync.start(linger=0.5)
        assert (await reading.result())["outcome"] in {"done", "continued", "skipped"}
        assert (await draining.result())["outcome"] == "done"
        await delivered(slack)
    await slack_sync(linger=0)
    slack.settings(skew=1800)
    await slack_sync()

    copies.hold(slack_sync.connection_id)


async def test_slack_ends_the_access(pushing_slack, slack_sync, rows):
    """A revoked token marks the connection at once; the same event told again after a new sign-in does not."""
    slack = pushing_slack
    slack.call("auth.revoke")
    await delivered(slack)
    state = "SELECT state, error_code FROM syncline.connection"

    await slack_sync(linger=0)

    assert rows(state)[0]["state"] == "needs_reconnect"
    granted = slack.install(lasting=True)
    async with open_database() as db:
        known = await connections.get(db, slack_sync.connection_id)
        await connections.reconnect(
            db,
            known.id,
            account=known.external_account_id,
            name=known.account,
            mode="live",
            scopes=granted["scope"].split(","),
            credentials={"access_token": granted["access_token"]},
        )
    rows("UPDATE syncline.webhook_event SET status = 'pending', due_at = now()")
    await slack_sync(linger=0)
    assert rows(state)[0]["state"] == "active"


async def test_slack_left_events_out(pushing_slack, slack_sync, rows, copies):
    """When Slack says that it left events out, history is read for the gap."""
    slack = pushing_slack
    slack.hold()
    slack.post(next(iter(slack.truth("channels"))), "never told")
    slack.release(order=1, drop=1.0)
    slack.limited()
    await until(lambda: slack.deliveries()[-1]["statuses"] == [200], "the word that events were left out")

    await slack_sync(linger=0)

    assert [row["event_type"] for row in rows(EVENTS)][-1] == "app_rate_limited"
    assert rows("SELECT 1 AS one FROM slack.messages WHERE text = 'never told'") == [{"one": 1}]


async def test_calendar(google, site, calendar_sync, calendar_copies, rows, db):
    """Each calendar has a channel after the first sync; a push syncs that calendar, and a disconnect stops them all."""
    other = google.create_calendar("Team")["id"]
    google.create_event("Before")
    await calendar_sync(full=True)
    assert {one["calendar"] for one in google.channels()["items"]} == {None, google.email, other}
    await delivered(google, 3)
    assert {(row["event_type"], row["status"]) for row in rows(EVENTS)} == {("sync", "ignored")}
    google.forget_ledger()

    made = google.create_event("Pushed", calendar=other)
    await delivered(google, 4)
    await calendar_sync(linger=0)

    assert rows("SELECT summary FROM google_calendar.events WHERE id = %s", [made["id"]]) == [{"summary": "Pushed"}]
    calendar_copies.hold()
    assert {row["path"] for row in google.requests("events.list")} == {f"/calendar/v3/calendars/{other}/events"}
    await calendar_sync()
    assert len(google.channels()["items"]) == 3  # nothing was made anew

    await disconnect(db, calendar_sync.connection_id)

    assert google.channels()["items"] == []
    assert await push_channels.of_connection(db, calendar_sync.connection_id) == []


async def test_calendar_channels_are_renewed(google, site, calendar_sync, rows, db):
    """One that ends soon is replaced by the next run, which asks first, stops the old one and looks once more."""
    await calendar_sync(full=True)
    before = {one["id"] for one in google.channels()["items"]}
    rows("UPDATE syncline.push_channel SET expires_at = now() + interval '40 hours'")
    google.forget_ledger()

    await calendar_sync()

    after = {one["id"] for one in google.channels()["items"]}
    assert len(after) == len(before) == 2
    assert not after & before
    routes = [row["route"].rsplit("/", 1)[-1] for row in google.requests() if "/calendar/" in row["path"]]
    assert routes.index("watch") < routes.index("stop") < len(routes) - 1 - routes[::-1].index("events")


async def test_calendars_that_are_not_pushed(google, site, calendar_sync, rows):
    """A calendar that refuses push, and one that Google itself makes, are polled; nothing fails for it."""
    google.create_calendar("Birthdays", id="addressbook#contacts@group.v.calendar.google.com")
    await calendar_sync(full=True)
    watched = {row["subject"] for row in rows("SELECT subject FROM syncline.push_channel WHERE state = 'active'")}
    assert watched == {"", google.email}


@pytest.fixture
def pushing_mail(google, site, web_environment):
    """Pub/Sub pushes to the site."""
    url = f"{site.url}/webhooks/gmail"
    google.webhooks(url, audience="", service_account=ACCOUNT)
    for name, value in {"PUBSUB_TOPIC": TOPIC, "PUSH_SERVICE_ACCOUNT": ACCOUNT, "PUSH_AUDIENCE": url}.items():
        web_environment.setenv(f"SYNCLINE_GMAIL_{name}", value)
    return google


async def test_gmail(pushing_mail, mail_sync, mail_copies, rows, db):
    """A mailbox is watched after the first sync; a push brings what changed, and a disconnect ends the watch."""
    google = pushing_mail
    google.load(messages=5)
    await mail_sync(full=True)
    assert google.channels()["watched_until"] is not None
    await delivered(google)
    await mail_sync(linger=0)
    made = google.deliver("Pushed")
    await asyncio.sleep(1.1)  # Gmail tells of one user once a second at most
    google.label_message(made["id"], add=("STARRED",))
    await delivered(google, 2)

    await mail_sync(linger=0)

    assert rows("SELECT subject FROM gmail.messages WHERE id = %s", [made["id"]]) == [{"subject": "Pushed"}]
    mail_copies.hold()
    assert {row["status"] for row in rows(EVENTS)} == {"applied"}
    await disconnect(db, mail_sync.connection_id)
    assert google.channels()["watched_until"] is None


async def test_pushes_of_strangers(google, pushing_mail, site, mail_sync, rows):
    """A push that another service account signed is refused, and nothing of it is stored."""
    google.webhooks(None, service_account="evil@sandbox.iam.gserviceaccount.com")
    await mail_sync(full=True)
    google.deliver("Pushed")
    await until(lambda: google.deliveries() and google.deliveries()[0]["statuses"], "a delivery")
    assert 200 not in google.deliveries()[0]["statuses"]
    assert rows(EVENTS) == []
