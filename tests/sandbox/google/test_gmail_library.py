"""google-api-python-client speaks to the sandbox's Gmail API as it speaks to Google's."""

import base64
from email.message import EmailMessage

import pytest
from googleapiclient.errors import HttpError


def decoded(data):
    return base64.urlsafe_b64decode(data)


def encoded(subject="Hi", to="someone@example.com", **headers):
    mail = EmailMessage()
    mail["Subject"], mail["To"] = subject, to
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Dear reader")
    return base64.urlsafe_b64encode(mail.as_bytes()).decode()


def pages(collection, name, request):
    while request is not None:
        page = request.execute()
        yield page
        request = getattr(collection, f"{name}_next")(request, page)


def since(gmail, history_id, **params):
    request = gmail.users().history().list(userId="me", startHistoryId=history_id, **params)
    return [row for page in pages(gmail.users().history(), "list", request) for row in page.get("history", [])]


def test_list_has_every_message_once_newest_first(gmail, google):
    """Ids and threads, without spam and trash unless they are asked for."""
    google.load(messages=23)
    trashed = google.deliver("old")["id"]
    google.trash(trashed)
    messages = gmail.users().messages()

    def ids(**params):
        listed = pages(messages, "list", messages.list(userId="me", maxResults=5, **params))
        return [row["id"] for page in listed for row in page.get("messages", [])]

    truth = google.truth("messages")
    order = sorted(truth, key=lambda key: -int(truth[key]["internalDate"]))
    assert ids(includeSpamTrash=True) == order
    assert ids() == [key for key in order if key != trashed]


def test_structure_of_a_mail(gmail, google):
    """Parts by number, texts in base64url, attachments apart."""
    key = google.deliver("Größe", "plain ü", html="<p>rich</p>", attachments={"a.bin": b"\x00\xff" * 100})["id"]

    message = gmail.users().messages().get(userId="me", id=key).execute()

    payload = message["payload"]
    assert (payload["mimeType"], payload["partId"], payload["body"]) == ("multipart/mixed", "", {"size": 0})
    alternative, attachment = payload["parts"]
    assert [part["mimeType"] for part in alternative["parts"]] == ["text/plain", "text/html"]
    assert [part["partId"] for part in alternative["parts"]] == ["0.0", "0.1"]
    assert decoded(alternative["parts"][0]["body"]["data"]).decode().strip() == "plain ü"
    assert (attachment["filename"], attachment["partId"], attachment["body"]["size"]) == ("a.bin", "1", 200)
    assert "data" not in attachment["body"]
    got = gmail.users().messages().attachments()
    body = got.get(userId="me", messageId=key, id=attachment["body"]["attachmentId"]).execute()
    assert decoded(body["data"]) == b"\x00\xff" * 100
    assert message["snippet"] == "plain ü"


def test_formats(gmail, google):
    """Minimal has no payload, metadata the headers that are named, raw the mail's own bytes."""
    raw = b"From: a@example.com\r\nSubject: Hi\r\nX-Other: 1\r\n\r\nbody\r\n"
    key = google.deliver(raw=raw)["id"]

    def got(**params):
        return gmail.users().messages().get(userId="me", id=key, **params).execute()

    minimal, full = got(format="minimal"), got(format="full")
    headers = got(format="metadata", metadataHeaders=["Subject"])["payload"]["headers"]
    assert "payload" not in minimal
    assert {name: full[name] for name in minimal} == minimal
    assert headers == [{"name": "Subject", "value": "Hi"}]
    assert decoded(got(format="raw")["raw"]) == raw
    assert full["sizeEstimate"] == len(raw)


def test_history_tells_what_happened_in_order(gmail, google):
    """Additions, label changes, deletions; each with a higher id than the one before."""
    old = google.deliver("old")["id"]
    start = gmail.users().getProfile(userId="me").execute()["historyId"]
    new = google.deliver("new")["id"]
    gmail.users().messages().modify(userId="me", id=old, body={"addLabelIds": ["STARRED"]}).execute()
    gmail.users().messages().trash(userId="me", id=new).execute()
    gmail.users().messages().delete(userId="me", id=old).execute()

    told = since(gmail, start, maxResults=2)

    kinds = [next(name for name in row if name not in ("id", "messages")) for row in told]
    assert kinds == ["messagesAdded", "labelsAdded", "labelsRemoved", "labelsAdded", "messagesDeleted"]
    assert [int(row["id"]) for row in told] == sorted({int(row["id"]) for row in told})
    assert told[1]["labelsAdded"][0]["labelIds"] == ["STARRED"]
    assert [row["id"] for row in since(gmail, start, historyTypes=["messageDeleted"])] == [told[-1]["id"]]
    assert since(gmail, told[-1]["id"]) == []


def test_forgotten_history_is_not_found(gmail, google):
    """404, as for an id that never was."""
    start = gmail.users().getProfile(userId="me").execute()["historyId"]
    google.forget_history()

    for history_id in (start, "999999999"):
        with pytest.raises(HttpError) as refused:
            gmail.users().history().list(userId="me", startHistoryId=history_id).execute()
        assert (refused.value.status_code, refused.value.error_details[0]["reason"]) == (404, "notFound")


def test_a_message_that_is_gone_is_not_found(gmail, google):
    """404 with Gmail's own sentence."""
    key = google.deliver()["id"]
    google.delete_message(key)

    with pytest.raises(HttpError, match="Requested entity was not found") as refused:
        gmail.users().messages().get(userId="me", id=key).execute()

    assert refused.value.status_code == 404


def test_sending_a_draft_happens_once(gmail, google, another_google):
    """The draft is gone, the mail has another id and lies in the recipient's inbox; a second time there is no draft."""
    drafts = gmail.users().drafts()
    made = drafts.create(userId="me", body={"message": {"raw": encoded(to=another_google.email)}}).execute()
    assert made["message"]["labelIds"] == ["DRAFT"]

    sent = drafts.send(userId="me", body={"id": made["id"]}).execute()

    assert sent["labelIds"] == ["SENT"]
    assert sent["id"] != made["message"]["id"]
    assert list(google.truth("messages")) == [sent["id"]]
    (received,) = another_google.truth("messages").values()
    assert {"INBOX", "UNREAD"} == set(received["labelIds"])
    with pytest.raises(HttpError) as refused:
        drafts.send(userId="me", body={"id": made["id"]}).execute()
    assert refused.value.status_code == 404


def test_a_message_id_is_kept_and_found(gmail, google):
    """By rfc822msgid, with or without angle brackets."""
    raw = encoded(Message_ID="<key-1@syncline.example>")
    sent = gmail.users().messages().send(userId="me", body={"raw": raw}).execute()
    gmail.users().messages().send(userId="me", body={"raw": encoded()}).execute()

    found = gmail.users().messages().list(userId="me", q="rfc822msgid:key-1@syncline.example").execute()

    assert [row["id"] for row in found["messages"]] == [sent["id"]]


def test_labels(gmail, google):
    """System labels and the user's own; a single one with its numbers."""
    mine = google.create_label("Work")
    google.label_message(google.deliver()["id"], add=(mine["id"],))

    listed = {row["id"]: row for row in gmail.users().labels().list(userId="me").execute()["labels"]}
    one = gmail.users().labels().get(userId="me", id=mine["id"]).execute()

    assert listed["INBOX"]["type"] == "system"
    assert listed[mine["id"]]["name"] == "Work"
    assert (one["messagesTotal"], one["messagesUnread"]) == (1, 1)


def test_threads(gmail, google):
    """All messages of one, oldest first."""
    first = google.deliver("one")
    google.deliver("two", thread=first["threadId"])
    google.deliver("other")

    listed = gmail.users().threads().list(userId="me").execute()["threads"]
    thread = gmail.users().threads().get(userId="me", id=first["threadId"], format="minimal").execute()

    assert len(listed) == 2
    assert len(thread["messages"]) == 2


def test_nobody_elses_mailbox(gmail, another_google):
    """Not even one of this Google."""
    with pytest.raises(HttpError, match="Delegation denied"):
        gmail.users().getProfile(userId=another_google.email).execute()
