"""Case 49, as far as the connector sees it: what a calendar's channel delivers, how one is asked for, what is read."""

import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import ConnectorError, Misconfigured, RateLimited, Refused, Unavailable
from connectors.google_calendar import connector
from connectors.push import Channel
from connectors.webhooks import Claim, Delivery, Forged, Stored
from tests.connectors.conftest import collect, http
from tests.connectors.google_calendar.conftest import HOLIDAYS, HOME, TEAM, event, refused
from tests.connectors.google_calendar.test_calendar_changes import coverage, ids, known, last_cursor

CHANNEL = Channel(TEAM, str(uuid.uuid4()), "token-canary", "https://app.example.com/webhooks/google_calendar")
OTHER = "other@group.calendar.google.com"


def delivery(**others):
    """Its headers as Google sends them; one that is None is left out."""
    usual = {"channel-id": CHANNEL.id, "channel-token": CHANNEL.token, "resource-state": "exists"}
    usual |= {"message-number": "2", "resource-id": "r", "resource-uri": "https://www.googleapis.com/calendar/v3/x"}
    said = usual | {name.replace("_", "-"): value for name, value in others.items()}
    return Delivery({f"x-goog-{name}": value for name, value in said.items() if value is not None}, b"", time.time())


async def verified(**others):
    return await connector.webhooks.verify(delivery(**others), None, address=CHANNEL.address)


def test_the_channel_and_its_secret_are_claimed():
    """Whether they belong together is not known here."""
    assert connector.webhooks.claim(delivery()) == Claim(CHANNEL.id, CHANNEL.token)
    assert CHANNEL.token not in repr(connector.webhooks.claim(delivery()))


@pytest.mark.parametrize("name", ["channel_id", "channel_token"])
@pytest.mark.parametrize("value", [None, ""])
def test_no_channel_or_no_secret(name, value):
    """Nothing vouches for that."""
    with pytest.raises(Forged):
        connector.webhooks.claim(delivery(**{name: value}))


@pytest.mark.parametrize("channel", ["a\x00b", "é", "x" * 65, "a\tb"])
def test_a_channel_that_is_none_of_ours(channel):
    """It is not looked for at all."""
    with pytest.raises(Forged):
        connector.webhooks.claim(delivery(channel_id=channel))


async def test_each_message_is_one_event():
    """Its number tells it from others of the channel, in whatever order they come; the same again is the same event."""
    events = [await verified(message_number=number) for number in ("3", "2", "10", "2")]
    assert [event.id for event in events] == [f"{CHANNEL.id}:{number}" for number in ("3", "2", "10", "2")]
    assert {(event.type, event.ignored, event.malformed) for event in events} == {("exists", False, None)}
    assert not any(event.accounts for event in events)  # the channel says whose it is


@pytest.mark.parametrize(
    ("state", "ignored"), [("sync", True), ("exists", False), ("not_exists", False), ("new", False)]
)
async def test_the_first_message_starts_nothing(state, ignored):
    """It says that the channel has begun; every other state may be a change."""
    event = await verified(resource_state=state)
    assert (event.type, event.ignored) == (state, ignored)


@pytest.mark.parametrize(
    "others",
    [
        *({"resource_state": state} for state in (None, "", "é", "a\x00", "x" * 65)),
        *({"message_number": number} for number in (None, "", "-1", "1_0", "\uff12", "1.0", " 1", "1" * 65, "²")),
    ],
)
async def test_messages_that_make_no_sense(others):
    """Google sends no such thing, so nothing of it is kept."""
    with pytest.raises(Forged):
        await verified(**others)


@pytest.mark.parametrize(("said", "subjects"), [({"subject": TEAM}, [TEAM]), ({"subject": ""}, [""]), ({}, [])])
def test_it_means_that_its_calendar_is_looked_through(said, subjects):
    """What the channel is for says which, or the list of them."""
    stored = Stored(uuid.uuid4(), "exists", b"", said, datetime.now(UTC))
    assert list(connector.webhooks.meaning(stored).subjects) == subjects


# What is read for a push


@pytest.fixture
def three(google):
    """Three calendars with places of their own, and what changed in each."""
    for calendar_id, token in ((HOME, "h"), (TEAM, "t"), (OTHER, "o")):
        if calendar_id != HOME:
            google.share(calendar_id)
        google.pages[calendar_id, token] = [[event(f"{token}1")], [event(f"{token}2")]]
    return {"calendars": {}, "events": {HOME: known("h"), TEAM: known("t"), OTHER: known("o")}}


async def pushed(calendar, cursors, *subjects):
    cursors = json.loads(json.dumps(cursors))
    return await collect(connector.changes_of(calendar, list(subjects), cursors))


def asked(provider):
    return [(one.path.split("/")[4], one.query.get("syncToken")) for one in provider.asked]


async def test_only_that_calendar_is_read(google, calendar, provider, three):
    """From its own place on; the others' places and the list of calendars are left as they are."""
    found = await pushed(calendar, three, TEAM)

    assert ids(found) == ["t1", "t2"]
    assert {change.stream for change in found} == {"events"}
    assert asked(provider) == [(TEAM, "t"), (TEAM, "t")]
    cursor = last_cursor(found)
    assert {calendar_id: piece["token"] for calendar_id, piece in cursor.items()} == {
        HOME: "h",
        TEAM: f"{TEAM} 1",
        OTHER: "o",
    }
    assert not any(change.coverage or change.window for change in found)


async def test_several_calendars(google, calendar, provider, three):
    """Each is read once, and no place is lost."""
    found = await pushed(calendar, three, OTHER, HOME)
    assert ids(found) == ["o1", "o2", "h1", "h2"]
    assert {piece["token"] for piece in last_cursor(found).values()} == {f"{OTHER} 1", f"{HOME} 2", "t"}


@pytest.mark.parametrize("subjects", [("",), (TEAM, ""), ("gone@example.com",), (TEAM, HOLIDAYS)])
async def test_the_list_or_one_that_is_not_followed(google, calendar, provider, three, subjects):
    """Then all is looked through: a calendar may be new, or gone."""
    three["events"][HOLIDAYS] = known(None)
    found = await pushed(calendar, three, *subjects)

    assert [change for change in found if change.stream == "calendars"][-1].window is not None
    assert set(ids(found)) == {"h1", "h2", "t1", "t2", "o1", "o2"}


async def test_nothing_of_events_was_read_yet(google, calendar, three):
    """A push looks through what there is a place for."""
    found = await pushed(calendar, {"calendars": {}}, TEAM)
    assert {change.stream for change in found} == {"calendars"}


async def test_its_token_is_gone(google, calendar, provider, three):
    """That calendar alone is read whole."""
    google.refusals[TEAM, "t", 0] = refused(410, "fullSyncRequired")
    google.pages[TEAM, None] = [[event("whole")]]

    found = await pushed(calendar, three, TEAM)

    assert ids(found) == ["whole"]
    (window,) = [change.window for change in found if change.window]
    assert (window.scope, window.keys) == (TEAM, {(TEAM, "whole")})
    assert last_cursor(found)[HOME]["token"] == "h"


@pytest.mark.parametrize(("status", "reason"), [(403, "forbidden"), (404, "notFound")])
async def test_a_calendar_that_is_closed_to_us(google, calendar, three, status, reason):
    """It is told, beside what else cannot be read, and it fails nothing; what was read before is not read again."""
    for number in (0, 1):
        google.refusals[TEAM, "t", number] = refused(status, reason)
        google.refusals[TEAM, None, number] = refused(status, reason)

    found = await pushed(calendar, three, HOME, TEAM)

    assert set(coverage(found).unreadable) == {TEAM}
    assert ids(found) == ["h1", "h2", "o1", "o2"]
    assert last_cursor(found)[TEAM]["token"] == "t"


async def test_one_that_fails(google, calendar, three):
    """The others are read all the same, and what they brought is kept; then it fails, to be tried again."""
    google.refusals[TEAM, "t", 0] = http(b"oops", 500)
    found = []

    async def read():
        async for change in connector.changes_of(calendar, [TEAM, HOME], three):
            found.append(change)  # noqa: PERF401 -- what came before it failed is wanted

    with pytest.raises(Unavailable):
        await read()

    assert ids(found) == ["h1", "h2"]
    assert last_cursor(found)[TEAM]["token"] == "t"


# How it is asked to push


class Watching:
    """Answers to `watch` and `stop`, of whatever calendar."""

    def __init__(self, google, provider):
        self.answer = http({"kind": "api#channel", "resourceId": "r-1", "expiration": "1800000000000"})
        self.inner = google.answer
        self.provider = provider
        provider.answer = self.answered

    def answered(self, asked):
        return self.answer if asked.path.endswith(("/watch", "/channels/stop")) else self.inner(asked)

    @property
    def asked(self):
        return [(one.method, one.path, json.loads(one.body)) for one in self.provider.asked]


@pytest.fixture
def watching(google, provider):
    return Watching(google, provider)


@pytest.mark.parametrize(
    ("subject", "path"),
    [
        (TEAM, f"calendars/{TEAM}/events/watch"),
        ("", "users/me/calendarList/watch"),
        ("a/b c", "calendars/a/b c/events/watch"),
    ],
)
async def test_a_channel_is_asked_for(calendar, watching, subject, path):
    """With our id, our secret and our address, for a week; back come its end and the name by which it is stopped."""
    made = await connector.push.watch(calendar, Channel(subject, CHANNEL.id, CHANNEL.token, CHANNEL.address))

    assert made.resource_id == "r-1"
    assert made.expires_at == datetime.fromtimestamp(1_800_000_000, UTC)
    ((method, asked_path, body),) = watching.asked
    assert (method, asked_path) == ("POST", f"/calendar/v3/{path}")
    week = int(body.pop("expiration")) / 1000 - time.time()
    assert abs(week - 7 * 86_400) < 60
    assert body == {"id": CHANNEL.id, "token": CHANNEL.token, "address": CHANNEL.address, "type": "web_hook"}


async def test_google_does_not_say_when_it_ends(calendar, watching):
    """Then it is as it was asked for."""
    watching.answer = http({"kind": "api#channel", "resourceId": "r-1"})
    made = await connector.push.watch(calendar, CHANNEL)
    assert abs(made.expires_at - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "answer",
    [
        refused(400, "pushNotSupportedForRequestedResource"),
        refused(400, "invalid"),
        refused(403, "forbidden"),
        refused(404, "notFound"),
    ],
)
async def test_a_calendar_that_is_not_pushed(calendar, watching, answer):
    """It is refused, which is no failure: it is polled."""
    watching.answer = answer
    with pytest.raises(Refused) as error:
        await connector.push.watch(calendar, CHANNEL)
    assert "raw text" not in str(error.value)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "push.webhookUrlUnauthorized"), (400, "push.webhookUrlNotHttps"), (400, "push.webhookUrlUnauthorized")],
)
async def test_an_address_that_google_does_not_push_to(calendar, watching, status, reason):
    """That is no matter of the account, nor of the calendar, whatever the status says: the setting is named."""
    watching.answer = refused(status, reason)
    with pytest.raises(Misconfigured, match="Google Calendar") as error:
        await connector.push.watch(calendar, CHANNEL)
    assert "SYNCLINE_PUBLIC_URL" in str(error.value)


@pytest.mark.parametrize(
    "answer", [http(b"oops", 500), http(b"<html>"), http({"expiration": "soon"}), http([]), http(b"", 302)]
)
async def test_an_answer_that_is_lost(calendar, watching, answer):
    """A channel is asked for once: there may be one, and it ends by itself."""
    watching.answer = answer
    with pytest.raises(ConnectorError) as error:
        await connector.push.watch(calendar, CHANNEL)
    assert not isinstance(error.value, Refused)
    assert len(watching.asked) == 1


async def test_it_is_pushed_no_more(calendar, watching):
    """A channel is stopped by both its names; one that had ended is stopped, one of which no name is known ends."""
    watching.answer = http(b"", 204, content_type=None)
    await connector.push.stop(calendar, CHANNEL.id, "r-1")
    watching.answer = refused(404, "channelUnknown")
    await connector.push.stop(calendar, CHANNEL.id, "r-1")
    await connector.push.stop(calendar, CHANNEL.id, None)
    stop = ("POST", "/calendar/v3/channels/stop", {"id": CHANNEL.id, "resourceId": "r-1"})
    assert watching.asked == [stop, stop]


def test_what_is_watched():
    """The list, and each calendar that can be read and tells deletions; nothing before events have been read."""
    places = {HOME: known("h"), TEAM: known("t"), HOLIDAYS: known(None), OTHER: known(None)}
    assert list(connector.push.subjects({"calendars": {}, "events": places})) == ["", HOME, TEAM]
    assert list(connector.push.subjects({"calendars": {}})) == []
    assert list(connector.push.subjects({})) == []


@pytest.mark.parametrize(
    ("address", "here", "told"),
    [
        ("https://app.example.com/webhooks/google_calendar", False, False),
        ("http://app.example.com/webhooks/google_calendar", False, True),
        ("http://127.0.0.1:8000/webhooks/google_calendar", False, True),
        ("http://127.0.0.1:8000/webhooks/google_calendar", True, False),
        ("http://[::1]:8000/webhooks/google_calendar", True, False),
        ("http://localhost:8000/webhooks/google_calendar", True, False),
        ("http://localhost.example.com/webhooks/google_calendar", True, True),
        ("http://127.0.0.1.example.com/webhooks/google_calendar", True, True),
        ("", True, True),
    ],
)
def test_where_google_pushes_to(google, monkeypatch, address, here, told):
    """To https alone; what stands in for it on this machine pushes to this machine too."""
    if not here:
        monkeypatch.delenv("SYNCLINE_GOOGLE_CALENDAR_API_URL")
    said = connector.push.missing(address)
    assert (said is not None) is told
    assert said is None or "SYNCLINE_PUBLIC_URL" in said


async def test_too_many_channels(calendar, watching):
    """Google's limit is no refusal for good."""
    watching.answer = refused(403, "rateLimitExceeded")
    with pytest.raises(ConnectorError) as error:
        await connector.push.watch(calendar, CHANNEL)
    assert error.value.code in {RateLimited.code, "unsent"}
