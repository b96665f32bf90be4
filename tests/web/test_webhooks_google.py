"""Cases 48 and 49 over HTTP: what Calendar's channels and Pub/Sub deliver, what is answered, and what is stored."""

import base64
import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from storage import connections, push_channels
from tasks.disconnect import disconnect
from tests.connectors import vouched
from tests.connectors.vouched import EMAIL, claims, served, signed

EVENTS = "SELECT * FROM syncline.webhook_event ORDER BY received_at, id"
CALENDAR, MAIL = "/webhooks/google_calendar", "/webhooks/gmail"


@pytest.fixture
async def channel(site, db, grant_google):
    """A channel of a connection's: its id, its secret, and how many deliveries have come by it."""
    connection_id = await grant_google(holds=3600)
    channel_id, token = await push_channels.begin(db, connection_id, "team@example.com", site.url + CALENDAR)
    await push_channels.made(db, channel_id, expires_at=datetime.now(UTC) + timedelta(days=7), resource_id="resource-1")

    class Opened:
        id = channel_id
        connection = connection_id

        async def delivers(self, number=2, *, path=CALENDAR, **others):
            headers = {"Channel-Id": channel_id, "Channel-Token": token, "Message-Number": str(number)}
            headers |= {"Resource-State": "exists", "Resource-Id": "resource-1"}
            headers |= {name.replace("_", "-"): value for name, value in others.items()}
            headers = {f"X-Goog-{name}": value for name, value in headers.items() if value is not None}
            return (await site.stranger.post(path, content=b"", headers=headers)).status_code

    return Opened()


async def test_messages_of_a_channel(channel, rows):
    """Whatever their order each is kept once, with the calendar that it is about; `sync` is kept and means nothing."""
    assert await channel.delivers(1, Resource_State="sync") == 200
    for number in (4, 3, 2, 3, 4):
        assert await channel.delivers(number) == 200

    stored = rows(EVENTS)
    assert [row["provider_event_id"] for row in stored] == [f"{channel.id}:{number}" for number in (1, 4, 3, 2)]
    assert [row["status"] for row in stored] == ["ignored", "pending", "pending", "pending"]
    assert {row["connection_id"] for row in stored} == {channel.connection}
    assert {row["said"]["subject"] for row in stored} == {"team@example.com"}


async def test_a_channels_own_address(channel):
    """The address may name the connection, if it is the channel's."""
    assert await channel.delivers(path=f"{CALENDAR}/{channel.connection}") == 200
    assert await channel.delivers(path=f"{CALENDAR}/{uuid.uuid4()}") == 404


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (400, {"Channel_Token": "wrong"}),
        (400, {"Channel_Token": None}),
        (400, {"Channel_Token": ""}),
        (400, {"Channel_Id": None}),
        (404, {"Channel_Id": str(uuid.uuid4())}),
        (404, {"Channel_Id": "' OR 1=1 --"}),
        (400, {"Resource_State": None}),
        (400, {"Message_Number": "x"}),
    ],
)
async def test_forged_messages(channel, rows, status, headers):
    """Nothing is stored of what no channel of ours vouches for, and no answer says more than its status."""
    assert await channel.delivers(**headers) == status
    assert await channel.delivers(**headers, path=f"{CALENDAR}/{channel.connection}") == status
    assert rows(EVENTS) == []


async def test_a_channel_that_was_stopped(channel, db, rows):
    """404, so that Google stops as well; so does one whose connection has left."""
    await push_channels.stopped(db, [channel.id])
    assert await channel.delivers() == 404
    other, token = await push_channels.begin(db, channel.connection, "", "http://127.0.0.1:9")
    assert await channel.delivers(Channel_Id=other, Channel_Token=token) == 200
    await disconnect(db, channel.connection)
    assert await channel.delivers(3, Channel_Id=other, Channel_Token=token) == 404
    assert len(rows(EVENTS)) == 1


@pytest.fixture
async def mailbox(site, db, web_environment):
    """A connected mailbox, and whatever pushes for it; Google's keys can be taken away."""
    made, _ = await connections.upsert(
        db,
        connector="gmail",
        user_id="user-1",
        account="me@example.com",
        name="me@example.com",
        mode="live",
        scopes=[],
        credentials={"access_token": "ya29.canary"},
    )
    web_environment.setenv("SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT", EMAIL)
    async with vouched.google_keys(web_environment) as keys:

        class Mailbox:
            id = made.id
            google = keys

            async def pushes(self, said=None, *, path=MAIL, body=None, authorization=None, message_id="1", **others):
                said = {"emailAddress": "Me@Example.COM", "historyId": 1} if said is None else said
                told = {"data": base64.b64encode(json.dumps(said).encode()).decode(), "messageId": message_id}
                body = json.dumps({"message": told, "subscription": "s"}).encode() if body is None else body
                token = signed(claims(**{"aud": site.url + path} | others))
                headers = {"Authorization": authorization or f"Bearer {token}"}
                return await site.stranger.post(path, content=body, headers=headers)

        yield Mailbox()


async def test_a_push(mailbox, rows):
    """It is kept for the mailbox, in whatever case that is written, and once however often it comes."""
    for _ in range(3):
        assert (await mailbox.pushes()).status_code == 200
    assert (await mailbox.pushes(message_id="2", path=f"{MAIL}/{mailbox.id}")).status_code == 200
    assert [(row["connection_id"], row["provider_event_id"], row["status"]) for row in rows(EVENTS)] == [
        (mailbox.id, "1", "pending"),
        (mailbox.id, "2", "pending"),
    ]


async def test_pushes_of_others(mailbox, rows):
    """A mailbox that is not connected is ignored; on another's address it is refused."""
    other = {"emailAddress": "you@example.com", "historyId": 1}
    assert (await mailbox.pushes(other)).status_code == 200
    assert (await mailbox.pushes(other, message_id="2", path=f"{MAIL}/{mailbox.id}")).status_code == 400
    assert [(row["connection_id"], row["status"]) for row in rows(EVENTS)] == [(None, "ignored")]


@pytest.mark.parametrize(
    "others",
    [
        {"aud": "https://evil.test/webhooks/gmail"},
        {"email": "evil@project.iam.gserviceaccount.com"},
        {"email_verified": False},
        {"iss": "https://evil.test"},
        {"exp": int(time.time()) - 1},
        {"authorization": "Bearer a.b.c"},
        {"authorization": "Basic eDp5"},
    ],
)
async def test_forged_pushes(mailbox, rows, others, web_log):
    """400, and nothing is stored of it or told about it."""
    answer = await mailbox.pushes(**others)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")
    assert rows(EVENTS) == []
    assert "evil" not in answer.text + web_log.text


@pytest.mark.parametrize("body", [b"", b"\x00", b'{"message": {}}', b'{"message": {"data": "aGVsbG8="}}'])
async def test_pushes_that_make_no_sense(mailbox, rows, body):
    """What Google vouches for is kept as it came, and acknowledged, so that it does not come for ever."""
    assert (await mailbox.pushes(body=body)).status_code == 200
    ((row),) = rows(EVENTS)
    assert (row["status"], bytes(row["body"]), row["error_code"]) == ("failed", body, "malformed_event")


async def test_a_mailbox_that_nobody_can_be_called(mailbox, rows):
    """A name that Postgres could not even look up is no name."""
    assert (await mailbox.pushes({"emailAddress": "me\x00@example.com"})).status_code == 200
    assert [row["status"] for row in rows(EVENTS)] == ["failed"]


async def test_google_is_away(mailbox, rows, web_environment):
    """Without a key nobody can say whether it is good: 503, and Pub/Sub comes again; then it is taken."""
    mailbox.google.answer = served(status=b"503 Service Unavailable", body=b"")
    answer = await mailbox.pushes()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert rows(EVENTS) == []

    web_environment.delenv("SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT")
    answer = await mailbox.pushes()
    assert answer.status_code == 503
    assert "SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT" in answer.json()["detail"]
