"""Mails and events: what arrives, what is refused, and what is found out afterwards."""

import base64
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from pydantic import ValidationError

from connectors.gmail.mail import mail
from storage.errors import NotGranted

MAIL = pytest.mark.parametrize("stage", ["gmail"], indirect=True)
EVENT = pytest.mark.parametrize("stage", ["google_calendar"], indirect=True)


@MAIL
async def test_a_mail_is_sent(stage, act):
    """It is in the sent mail with its subject and text, and no draft is left."""
    body = stage.body() | {"to": ["Jürgen Müller <j@example.com>", "ada@example.com"], "body": "Zeile\n\nGrüße"}

    said = await act(body)

    message = stage.google.truth("messages")[said.result["message_id"]]
    headers = {header["name"]: header["value"] for header in message["payload"]["headers"]}
    assert said.status == "succeeded"
    assert message["threadId"] == said.result["thread_id"]
    assert headers["Subject"] == body["subject"]
    assert "j@example.com" in headers["To"]
    assert len(stage.google.truth("messages")) == 1


@pytest.mark.parametrize(
    ("to", "subject", "text"),
    [
        ("Müller, Jürgen <j@example.com>", "Grüße — 你好 " * 12, "Zeile\nzwei ü\n"),
        ('"Doe; J" <x@y.z>', "plain", "é" * 3000),
        ("ada@exämple.de", "\t tab and  spaces ", "From here\n.\n.."),
        ("a@b.c", "😀" * 80, ""),
    ],
)
def test_a_mail_reads_as_it_was_meant(to, subject, text):
    """Subject, recipients and text come out of the mail as they went in, on lines that any server takes."""
    raw = base64.urlsafe_b64decode(mail([to], subject, text, "<k@h>"))

    read = message_from_bytes(raw, policy=policy.default)

    assert read["subject"].strip() == subject.strip()
    assert len(read["to"].addresses) == 1
    assert [line for line in read.get_content().splitlines() if line] == [line for line in text.splitlines() if line]
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.isascii()
    assert set(read.keys()) == {
        "To",
        "Subject",
        "Message-ID",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    }


@MAIL
@pytest.mark.parametrize(
    "change",
    [
        {"subject": "a\r\nBcc: eve@example.com"},
        {"subject": "a\nb"},
        {"subject": "a\rb"},
        {"subject": "a\u2028b"},
        {"to": "a@example.com\r\nBcc: eve@example.com"},
        {"to": "a@example.com, eve@example.com"},
        {"to": "nobody"},
        {"to": []},
        {"to": "a@b..c"},
        {"to": "ü@example.com"},
        {"body": "\0"},
        {"cc": "eve@example.com"},
    ],
)
async def test_a_mail_that_cannot_be_meant(stage, act, change):
    """Line breaks in headers, addresses that are none and unknown fields are refused before anything is sent."""
    with pytest.raises(ValidationError) as refused:
        await act(stage.body() | change)

    assert "eve@example.com" not in str(refused.value)
    assert stage.google.truth("messages") == {}


@MAIL
async def test_a_mailbox_that_refuses(stage, act):
    """A refusal is told in our words, and the draft does not stay behind."""
    stage.fault("status", status=403, reason="forbidden", message="Mail service not enabled")

    said = await act(stage.body())

    assert said.status == "failed"
    assert "does not let this account send" in said.error
    assert stage.google.truth("messages") == {}


@MAIL
async def test_a_draft_that_was_never_sent(stage, act, rows):
    """A draft that is still there a minute later was not sent and never will be: it is deleted, and this has failed."""
    body = stage.body()
    stage.fault("status", status=500)
    first = await act(body, "k")
    early = await act(body, "k")
    rows("UPDATE syncline.action SET created_at = created_at - %s", [timedelta(seconds=61)])

    late = await act(body, "k")

    assert (first.status, early.status, late.status) == ("unknown", "unknown", "failed")
    assert stage.google.truth("messages") == {}
    assert await act(body, "k") == late


@MAIL
async def test_without_the_scope(stage, act, rows):
    """Without gmail.compose the action is not available; nothing is sent."""
    rows("UPDATE syncline.connection SET scopes = '{}'")

    with pytest.raises(NotGranted):
        await act(stage.body())


@EVENT
async def test_an_event_is_made(stage, act):
    """It stands in the calendar with its times, zone and guests."""
    said = await act(
        stage.body()
        | {"start": "2026-12-01T10:00:00", "end": "2026-12-01T11:30:00", "time_zone": "Europe/Paris"}
        | {"location": "Room 1", "attendees": ["ada@example.com"], "description": "Grüße"}
    )

    [event] = [one for one in stage.google.truth("events").values() if one["id"] == said.result["event_id"]]
    assert said.status == "succeeded"
    assert (event["location"], event["description"]) == ("Room 1", "Grüße")
    assert event["start"]["timeZone"] == "Europe/Paris"
    assert event["attendees"][0]["email"] == "ada@example.com"


@EVENT
async def test_an_event_of_whole_days(stage, act):
    """Days stay days."""
    said = await act(stage.body() | {"start": "2026-12-01", "end": "2026-12-03"})

    [event] = [one for one in stage.google.truth("events").values() if one["id"] == said.result["event_id"]]
    assert (event["start"], event["end"]) == ({"date": "2026-12-01"}, {"date": "2026-12-03"})


@EVENT
@pytest.mark.parametrize(
    "change",
    [
        {"start": "tomorrow"},
        {"start": "2026-12-01"},
        {"start": "2026-13-01T10:00:00Z"},
        {"end": "2026-11-01T10:00:00+01:00"},
        {"start": "2026-12-01T10:00:00"},
        {"time_zone": "Mars/Base"},
        {"time_zone": "../etc/passwd"},
        {"attendees": ["nobody"]},
        {"summary": "a\nb"},
        {"send_updates": "everybody"},
    ],
)
async def test_an_event_that_cannot_be_meant(stage, act, change):
    """Times that are none, ends before starts and unknown zones are refused before anything is sent."""
    with pytest.raises(ValidationError):
        await act(stage.body() | change)

    assert stage.google.truth("events") == {}


@EVENT
@pytest.mark.parametrize("calendar", ["nobody@group.calendar.google.com", "../../x", "a/b?c#d"])
async def test_a_calendar_that_is_not_there(stage, act, calendar):
    """A calendar that the account has not is a refusal in words."""
    said = await act(stage.body() | {"calendar_id": calendar})

    assert said.status == "failed"
    assert "no calendar with this id" in said.error
