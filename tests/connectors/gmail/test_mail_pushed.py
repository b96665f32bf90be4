"""What Pub/Sub pushes of mailboxes, verified and understood; how a mailbox is watched, and what is read for a push."""

import base64
import json
import random
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import Broken, ConnectorError, Misconfigured, Unavailable
from connectors.gmail import connector
from connectors.push import Channel
from connectors.webhooks import Concerned, Delivery, Forged, Stored
from tests.connectors import vouched
from tests.connectors.conftest import collect, http
from tests.connectors.gmail.conftest import ME, refused, told
from tests.connectors.vouched import AUDIENCE, EMAIL, claims, served, signed

TOPIC = "projects/project/topics/mail"
CHANNEL = Channel("", str(uuid.uuid4()), "token-canary", AUDIENCE)


@pytest.fixture(autouse=True)
def home(monkeypatch):
    """Everything is set up."""
    monkeypatch.setenv("SYNCLINE_GMAIL_PUBSUB_TOPIC", TOPIC)
    monkeypatch.setenv("SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT", EMAIL)
    return monkeypatch


@pytest.fixture
async def google(monkeypatch):
    async with vouched.google_keys(monkeypatch) as keys:
        yield keys


def pushed(said, **message):
    """A body of Pub/Sub's; *said* is encoded as it encodes it."""
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    made = {"data": base64.b64encode(content).decode(), "messageId": "2070443601311540", "publishTime": "2026-11-25"}
    return json.dumps({"message": made | message, "subscription": "projects/project/subscriptions/mail"}).encode()


CHANGED = {"emailAddress": ME, "historyId": 9876543210}


async def verified(body=None, token=None, *, address=AUDIENCE, **headers):
    headers = headers or {"authorization": f"Bearer {signed() if token is None else token}"}
    body = pushed(CHANGED) if body is None else body
    return await connector.webhooks.verify(Delivery(headers, body, time.time()), None, address=address)


@pytest.mark.parametrize(
    "body",
    [
        pushed(CHANGED),
        pushed(CHANGED | {"historyId": "9876543210", "new": {"a": []}}, message_id="2070443601311540", orderingKey="k"),
        pushed(b"", data=base64.urlsafe_b64encode(json.dumps(CHANGED | {"a": "~~~???>>>"}).encode()).decode()),
        pushed(b"", data=base64.urlsafe_b64encode(json.dumps(CHANGED).encode()).decode().rstrip("=")),
    ],
)
async def test_a_push_names_its_mailbox(google, body):
    """In either alphabet, with or without padding, whatever else it holds. Where the history stands is not kept."""
    event = await verified(body)

    assert (event.id, event.type) == ("2070443601311540", "history")
    assert list(event.accounts) == [Concerned(ME)]
    assert (event.malformed, event.ignored, event.said) == (None, False, {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"message": null}',
        b'{"message": {}}',
        b'{"message": {"data": 1}}',
        b'{"message": {"data": "\\ud800"}}',
        pushed(CHANGED)[:-1],
        pushed(b"hello"),
        pushed(b"\x00"),
        pushed(b"[" * 100_000),
        pushed({"historyId": 1}),
        pushed([ME]),
        *(pushed({"emailAddress": name}) for name in (None, 1, "", "me\x00@example.com", "\ud800", "a\nb")),
        pushed(CHANGED, data="é"),
        pushed(CHANGED, data="A"),
    ],
)
async def test_what_makes_no_sense_is_said(google, body):
    """Google vouches for it, so it is kept as failed; no push is delivered again for ever."""
    event = await verified(body)
    assert event.malformed is not None
    assert not event.accounts


@pytest.mark.parametrize("message_id", [None, 1, "", "a\x00", "é", []])
async def test_a_push_without_an_id_is_taken(google, message_id):
    """Its body stands for it then."""
    event = await verified(pushed(CHANGED, messageId=message_id))
    assert event.id is None
    assert list(event.accounts) == [Concerned(ME)]


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {},Bearer {}", "Bearer a.b.c", "Bearer é"]
)
async def test_nobody_vouches(google, authorization):
    """Without one good token there is nothing to look at, whatever the body says."""
    with pytest.raises(Forged) as forged:
        await verified(authorization=authorization.replace("{}", signed()))
    assert ME not in str(forged.value)
    with pytest.raises(Forged):
        await verified(cookie="none")


async def test_whom_it_is_signed_for(google, home):
    """For the address that it came to, unless another audience is set; then for that alone."""
    with pytest.raises(Forged):
        await verified(address="https://app.example.com/webhooks/gmail/1")
    home.setenv("SYNCLINE_GMAIL_PUSH_AUDIENCE", "our-team ")
    with pytest.raises(Forged):
        await verified()
    assert (await verified(token=signed(claims(aud="our-team")))).accounts


async def test_what_is_not_set_up(google, home):
    """It names the setting, before anything is looked at; where no key is to be had the push is to come again."""
    google.answer = served(status=b"500 Oops", body=b"")
    with pytest.raises(Unavailable):
        await verified()
    home.delenv("SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT")
    with pytest.raises(Misconfigured) as missing:
        await verified()
    assert "SYNCLINE_GMAIL_PUSH_SERVICE_ACCOUNT" in str(missing.value)
    assert google.asked == 1


async def test_changed_bodies(google, capsys):
    """Whatever Pub/Sub sends with a good token is an event: for a mailbox, or one that makes no sense."""
    chance, token, understood = random.Random(15), signed(), 0
    for _ in range(1_000):
        body = bytearray(pushed(CHANGED))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 2)] = chance.choice([b"", b"\x00", b"\xff", b'"', b"{", b"\\u0000", b"1"])
        event = await verified(bytes(body), token)
        understood += event.malformed is None
        assert (event.malformed is None) == bool(event.accounts)
        assert all(one.external_account_id.isprintable() for one in event.accounts)

    with capsys.disabled():
        print(f"\n1000 changed bodies: {understood} name a mailbox, {1_000 - understood} make no sense")


def test_it_means_that_the_mailbox_is_looked_through():
    """Nothing of the push itself is needed for that."""
    stored = Stored(uuid.uuid4(), "history", b"whatever", {}, datetime.now(UTC))
    assert list(connector.webhooks.meaning(stored).subjects) == [""]


async def test_what_is_read_for_a_push(gmail, mailbox, provider):
    """The history since our own place in it, and the labels: all that the next sync would read."""
    gmail.history["90"] = [[told(91, "messagesAdded", "a"), told(92, "messagesDeleted", "b")]]
    cursors = {"messages": {"history": "90"}, "labels": {}}

    found = await collect(connector.changes_of(mailbox, [""], cursors))

    assert found == await collect(connector.changes(mailbox, cursors))
    assert (found[0].page.touched, found[0].page.deleted) == ([("a",)], [("b",)])
    assert provider.asked[0].query["startHistoryId"] == "90"


# How a mailbox is watched


def until_in(days):
    return str(int((time.time() + days * 86_400) * 1000))


async def test_a_mailbox_is_watched(gmail, mailbox, provider):
    """All of it, spam and trash too, for the topic that is set; it ends when Gmail says so, in seven days at most."""
    ends = until_in(7)
    gmail.refusals["watch", None] = http({"historyId": "1", "expiration": ends})

    made = await connector.push.watch(mailbox, CHANNEL)

    assert made.expires_at == datetime.fromtimestamp(int(ends) / 1000, UTC)
    (asked,) = provider.asked
    assert (asked.method, asked.path) == ("POST", "/gmail/v1/users/me/watch")
    assert json.loads(asked.body) == {"topicName": TOPIC}
    assert connector.push.replaces
    assert connector.push.lifetime_seconds - connector.push.renew_seconds == 86_400  # so it is renewed daily


@pytest.mark.parametrize(
    "answer", [http({"expiration": "soon"}), http({"expiration": "9" * 30}), http({"expiration": []}), http(b"[]")]
)
async def test_an_end_that_makes_no_sense(gmail, mailbox, answer):
    """Such an answer is none."""
    gmail.refusals["watch", None] = answer
    with pytest.raises(ConnectorError, match="Gmail") as error:
        await connector.push.watch(mailbox, CHANNEL)
    assert error.value.code in {"unproved", "unavailable"}


async def test_no_end_is_told(gmail, mailbox):
    """Then it is the one that all watches have."""
    gmail.refusals["watch", None] = http({"historyId": "1"})
    made = await connector.push.watch(mailbox, CHANNEL)
    assert abs(made.expires_at - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "invalidArgument"), (403, "forbidden"), (404, "notFound"), (403, "accessNotConfigured")],
)
async def test_a_topic_that_cannot_be_published_to(gmail, mailbox, status, reason):
    """It is ours to set up, so the sentence names what is set."""
    gmail.refusals["watch", None] = refused(status, reason)
    with pytest.raises(Misconfigured) as error:
        await connector.push.watch(mailbox, CHANNEL)
    assert "SYNCLINE_" in str(error.value)


def taken():
    message = "Only one user push notification client allowed per developer (call /stop then try again)"
    error = {"code": 400, "message": message, "status": "FAILED_PRECONDITION"}
    return http({"error": error | {"errors": [{"reason": "failedPrecondition", "message": message}]}}, 400)


async def test_another_topic_was_set_before(gmail, mailbox, provider):
    """A mailbox is watched for one topic at a time: the watch for the old one is stopped, then it is asked again."""
    gmail.refusals["watch", None] = [taken(), http({"expiration": until_in(7)})]
    gmail.refusals["stop", None] = http(b"", 204, content_type=None)

    made = await connector.push.watch(mailbox, CHANNEL)

    assert made.expires_at > datetime.now(UTC) + timedelta(days=6)
    assert [asked.path.rsplit("/", 1)[-1] for asked in provider.asked] == ["watch", "stop", "watch"]


async def test_another_topic_stays(gmail, mailbox, provider):
    """It is tried once more, not for ever."""
    gmail.refusals["watch", None] = taken
    gmail.refusals["stop", None] = http(b"", 204, content_type=None)
    with pytest.raises(Broken, match="Gmail"):
        await connector.push.watch(mailbox, CHANNEL)
    assert [asked.path.rsplit("/", 1)[-1] for asked in provider.asked] == ["watch", "stop", "watch"]


async def test_gmail_does_not_answer(gmail, mailbox, provider):
    """Asking for a watch twice does no harm, so it is asked again for a while."""
    gmail.refusals["watch", None] = [http(b"oops", 503), http({"expiration": until_in(7)})]
    assert await connector.push.watch(mailbox, CHANNEL)
    assert len(provider.asked) == 2


@pytest.mark.parametrize("answer", [http(b"", 204, content_type=None), http({}), refused(404, "notFound")])
async def test_it_is_watched_no_more(gmail, mailbox, provider, answer):
    """Whether or not it was."""
    gmail.refusals["stop", None] = answer
    await connector.push.stop(mailbox, CHANNEL.id, None)
    assert provider.asked[0].path == "/gmail/v1/users/me/stop"


@pytest.mark.parametrize(
    "unset", [("PUBSUB_TOPIC",), ("PUSH_SERVICE_ACCOUNT",), ("PUBSUB_TOPIC", "PUSH_SERVICE_ACCOUNT")]
)
def test_what_there_is_to_set(home, unset):
    """Each setting that is missing is named, and that mailboxes are polled; with all of them nothing is said."""
    assert connector.push.missing(AUDIENCE) is None
    for name in unset:
        home.setenv(f"SYNCLINE_GMAIL_{name}", " ")
    said = connector.push.missing(AUDIENCE)
    assert all(f"SYNCLINE_GMAIL_{name}" in said for name in unset)
    assert said.count("SYNCLINE_") == len(unset)
    assert "polled" in said


def test_what_is_watched():
    """The mailbox as a whole, once something of it has been read."""
    assert list(connector.push.subjects({"messages": {"history": "1"}})) == [""]
    assert list(connector.push.subjects({})) == []
    assert set(connector.push.streams("")) == {"messages", "labels"}
