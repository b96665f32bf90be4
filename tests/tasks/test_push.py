"""How push is shown, and how it ends with its connection."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from connectors.registry import find_connectors
from storage import connections, push_channels
from storage.status import status
from tasks.disconnect import disconnect
from tasks.push import address_of, shown
from tests.fixtures.syncing import until

SOON, LATER = (datetime(2026, 12, day, tzinfo=UTC) for day in (1, 5))
TOPIC, ACCOUNT = "projects/sandbox/topics/mail", "push@sandbox.iam.gserviceaccount.com"


def channel(subject, state, expires_at=None, error=None):
    return {"subject": subject, "state": state, "expires_at": expires_at, "error": error}


@pytest.fixture(autouse=True)
def home(monkeypatch):
    """Where a web application would be, in front of the real providers."""
    monkeypatch.setenv("SYNCLINE_PUBLIC_URL", "https://app.example.com/")
    return monkeypatch


@pytest.mark.parametrize(
    ("channels", "state", "ends", "reason"),
    [
        ([channel("a", "active", LATER), channel("b", "active", SOON)], "active", SOON, None),
        ([channel("a", "active", SOON), channel("b", "refused", None, "No.")], "active", SOON, None),
        ([channel("a", "active", SOON), channel("b", "failed", None, "Not now.")], "failed", SOON, "Not now."),
        ([channel("a", "refused", None, "No.")], "refused", None, "No."),
    ],
)
def test_a_stream_of_several_channels(channels, state, ends, reason):
    """It ends when the first of them does; one that fails is said, one that is refused beside others is not."""
    assert shown("google_calendar", channels) == {
        "events": {"state": state, "expires_at": ends and ends.isoformat().replace("+00:00", "Z"), "reason": reason}
    }


def test_each_subject_tells_of_its_streams():
    """The list of calendars is one channel, each calendar another; a mailbox is watched as a whole."""
    assert set(shown("google_calendar", [channel("", "active", SOON)])) == {"calendars"}
    assert set(shown("gmail", [channel("", "active", SOON)])) == {"messages", "labels"}


def test_where_nothing_has_to_be_asked_for():
    """Providers whose endpoints the team registers have no such state."""
    assert [shown(name, []) for name, found in find_connectors().items() if found.push is None] == [{}, {}]


def test_a_mailbox_without_a_topic(home):
    """Both streams are polled, and the sentence names what is not set; with it set nothing is said before a sync."""
    said = shown("gmail", [])
    assert set(said) == {"messages", "labels"}
    for push in said.values():
        assert (push["state"], push["expires_at"]) == ("polled", None)
        assert "SYNCLINE_GMAIL_PUBSUB_TOPIC" in push["reason"]
        assert "polled" in push["reason"]

    home.setenv("SYNCLINE_GMAIL_PUBSUB_TOPIC", TOPIC)
    home.setenv("SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT", ACCOUNT)
    assert shown("gmail", []) == {}


@pytest.mark.parametrize("address", ["", "http://app.example.com", "http://127.0.0.1:8000"])
def test_addresses_that_google_does_not_push_to(home, address):
    """Unset, not https, or this machine's: Calendar is polled, and the sentence names the setting."""
    home.setenv("SYNCLINE_PUBLIC_URL", address)
    said = shown("google_calendar", [])
    assert {push["state"] for push in said.values()} == {"polled"}
    assert all("SYNCLINE_PUBLIC_URL" in push["reason"] for push in said.values())


def test_the_address(home):
    """It is the public one, whether or not that ends in a slash; nobody knows it, nothing is asked for."""
    assert address_of("gmail") == "https://app.example.com/webhooks/gmail"
    home.delenv("SYNCLINE_PUBLIC_URL")
    assert address_of("gmail") is None


async def test_status_shows_it(db, grant_google):
    """Each stream with its own state and end; after a disconnect nothing is said to be pushed."""
    connection_id = await grant_google(holds=3600)
    for subject in ("", "a"):
        channel_id, _ = await push_channels.begin(db, connection_id, subject, "https://app.example.com")
        ends = datetime.now(UTC) + timedelta(days=7 if subject else 6)
        await push_channels.made(db, channel_id, expires_at=ends, resource_id="r")
    names = {"google_calendar": ["calendars", "events"]}

    [standing] = (await status(db, names, pushed=shown))["connections"]

    pushed = {stream["stream"]: stream["push"] for stream in standing["streams"]}
    assert {name: push["state"] for name, push in pushed.items()} == {"calendars": "active", "events": "active"}
    assert pushed["calendars"]["expires_at"] < pushed["events"]["expires_at"]

    await disconnect(db, connection_id)
    [standing] = (await status(db, names, pushed=shown))["connections"]
    assert [stream["push"] for stream in standing["streams"]] == [None, None]


@pytest.fixture
def sandboxed(google, monkeypatch):
    """Pub/Sub pushes nowhere, channels lead nowhere; both are asked for."""
    monkeypatch.setenv("SYNCLINE_PUBLIC_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SYNCLINE_GMAIL_PUBSUB_TOPIC", TOPIC)
    monkeypatch.setenv("SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT", ACCOUNT)
    return google


async def test_channels_are_stopped_before_the_grant_is_revoked(db, sandboxed, calendar_sync):
    """None is left at the provider, which was asked while the grant still held; deliveries by them are refused."""
    await calendar_sync(full=True)
    before = [one["id"] for one in sandboxed.channels()["items"]]
    sandboxed.forget_ledger()

    await disconnect(db, calendar_sync.connection_id)

    assert sandboxed.channels()["items"] == []
    assert [row["path"].rsplit("/", 1)[-1] for row in sandboxed.requests()] == ["stop", "stop", "revoke"]
    assert [await push_channels.claimed(db, "google_calendar", one) for one in before] == [None, None]


async def test_a_provider_that_does_not_stop_them(db, sandboxed, calendar_sync):
    """The connection ends within ten seconds, and the grant is revoked all the same."""
    await calendar_sync(full=True)
    sandboxed.fault("hold", "channels.stop", times=None, seconds=30)
    sandboxed.forget_ledger()
    began = time.monotonic()

    left = await disconnect(db, calendar_sync.connection_id)

    took = time.monotonic() - began
    print(f"\ndisconnected after {took:.1f} s")
    assert took < 10
    assert left.state == "disconnected"
    assert [row["status"] for row in sandboxed.requests("revoke")] == [200]
    assert await push_channels.of_connection(db, calendar_sync.connection_id) == []
    sandboxed.lift()


async def test_a_mailbox_of_two_connections(db, sandboxed, mail_sync):
    """Stopping its watch would end it for all: it is stopped with the last connection of the mailbox, not before."""
    await mail_sync(full=True)
    granted = sandboxed.consent()
    other, _ = await connections.upsert(
        db,
        connector="gmail",
        user_id="user-2",
        account=sandboxed.email,
        name=sandboxed.email,
        mode="live",
        scopes=granted["scope"].split(),
        credentials={
            "access_token": granted["access_token"],
            "refresh_token": granted["refresh_token"],
            "expires_at": str(int(time.time()) + granted["expires_in"]),
        },
        grant_key=f"google {sandboxed.email}",
    )
    await mail_sync(full=True, connection_id=other.id)

    await disconnect(db, mail_sync.connection_id)
    assert sandboxed.channels()["watched_until"] is not None

    await disconnect(db, other.id)
    assert sandboxed.channels()["watched_until"] is None


async def test_disconnected_while_a_channel_is_asked_for(db, sandboxed, calendar_sync, mail_connection):
    """Whoever disconnects does not know the new channel's name at the provider: the run that asked stops it, where
    the grant goes on for another connection.
    """
    sandboxed.fault("hold", "events.watch", seconds=2)
    under_way = await calendar_sync.start(full=True)
    await until(lambda: not sandboxed.faults(), "the request for a channel")

    await disconnect(db, calendar_sync.connection_id)
    assert (await under_way.result())["outcome"] == "skipped"

    assert [row["status"] for row in sandboxed.requests("events.watch")] == [200]
    assert sandboxed.requests("revoke") == []
    assert await push_channels.of_connection(db, calendar_sync.connection_id) == []
    assert sandboxed.channels()["items"] == []
