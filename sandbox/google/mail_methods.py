"""Gmail's methods but for its lists.

https://developers.google.com/workspace/gmail/api/reference/rest
"""

import base64
import binascii
import re
import secrets
from email.utils import formatdate, getaddresses
from typing import Any

import orjson

from sandbox.google.calls import Call
from sandbox.google.clients import GMAIL_MODIFY, GMAIL_READ, MAIL
from sandbox.google.errors import Failed, no_entity, required
from sandbox.google.mailbox import Message
from sandbox.google.mime import b64, parse

Fields = dict[str, Any]


def profile(call: Call) -> bytes:
    box = call.account.mailbox
    threads = len({message.thread_id for message in box.messages.values()})
    said = {"emailAddress": call.account.email, "messagesTotal": len(box.messages), "threadsTotal": threads}
    return orjson.dumps(said | {"historyId": str(box.history_id)})


def get_message(call: Call) -> bytes:
    return _in_format(call, call.account.mailbox.find(call.path["id"]))


def _in_format(call: Call, message: Message) -> bytes:
    form = (call.text("format") or "full").lower()
    if form in ("full", "raw") and not {GMAIL_READ, GMAIL_MODIFY, MAIL} & set(call.scopes):
        raise Failed(403, "forbidden", f"Metadata scope doesn't allow format {form.upper()}")
    if form == "full":
        return message.full()
    if form == "metadata":
        return message.metadata(call.many("metadataHeaders"))
    if form == "raw":
        return message.raw()
    if form == "minimal":
        return orjson.dumps(message.minimal())
    raise Failed(400, "invalidArgument", f"Invalid value at 'format', \"{form}\"")


def get_attachment(call: Call) -> bytes:
    message = call.account.mailbox.find(call.path["messageId"])
    content = message.parsed.attachments.get(call.path["id"])
    if content is None:
        raise Failed(400, "invalidArgument", "Invalid attachment token")
    return orjson.dumps({"size": len(content), "data": b64(content)})


def get_thread(call: Call) -> bytes:
    box = call.account.mailbox
    found = sorted((m for m in box.messages.values() if m.thread_id == call.path["id"]), key=lambda m: m.date)
    if not found:
        raise no_entity()
    bodies = b",".join(_in_format(call, message) for message in found)
    latest = max(message.history_id for message in found)
    head = orjson.dumps({"id": call.path["id"], "historyId": str(latest)})
    return head[:-1] + b',"messages":[' + bodies + b"]}"


def modify(call: Call) -> bytes:
    message = call.account.mailbox.find(call.path["id"])
    add, remove = call.body.get("addLabelIds", []), call.body.get("removeLabelIds", [])
    if not add and not remove:
        raise Failed(400, "invalidArgument", "No label add or removes specified")
    call.account.mailbox.relabel(message, add, remove, by="api")
    return orjson.dumps(message.brief)


def trash(call: Call) -> bytes:
    message = call.account.mailbox.find(call.path["id"])
    call.account.mailbox.relabel(message, ["TRASH"], ["INBOX"], by="api")
    return orjson.dumps(message.brief)


def untrash(call: Call) -> bytes:
    message = call.account.mailbox.find(call.path["id"])
    call.account.mailbox.relabel(message, [], ["TRASH"], by="api")
    return orjson.dumps(message.brief)


def delete(call: Call) -> bytes:
    call.account.mailbox.delete(call.account.mailbox.find(call.path["id"]), by="api")
    return b""


def send(call: Call) -> bytes:
    raw, thread = _raw(call.body)
    return orjson.dumps(_sent(call, raw, thread).brief)


def create_draft(call: Call) -> bytes:
    raw, thread = _raw(call.body.get("message") or {})
    message = call.account.mailbox.add(_with_headers(call, raw), ["DRAFT"], by="api", thread=thread)
    draft = f"r-{secrets.randbelow(10**18)}"
    call.account.mailbox.drafts[draft] = message.id
    call.account.changed("drafts", "created", draft, by="api")
    return orjson.dumps({"id": draft, "message": message.brief})


def get_draft(call: Call) -> bytes:
    message = _draft(call, call.path["id"])
    return orjson.dumps({"id": call.path["id"]})[:-1] + b',"message":' + _in_format(call, message) + b"}"


def list_drafts(call: Call) -> bytes:
    box = call.account.mailbox
    rows = [{"id": draft, "message": box.messages[key].ids} for draft, key in box.drafts.items()]
    return orjson.dumps(({"drafts": rows} if rows else {}) | {"resultSizeEstimate": len(rows)})


def delete_draft(call: Call) -> bytes:
    call.account.mailbox.delete(_draft(call, call.path["id"]), by="api")
    call.account.changed("drafts", "deleted", call.path["id"], by="api")
    return b""


def send_draft(call: Call) -> bytes:
    """The draft is gone, and a message with another id is sent."""
    draft = call.body.get("id")
    if not draft:
        raise required("id")
    message = _draft(call, draft)
    raw, thread = message.make_raw(), message.thread_id
    if (call.body.get("message") or {}).get("raw"):
        raw, _ = _raw(call.body["message"])
    _recipients(raw)
    call.account.mailbox.delete(message, by="api")
    call.account.changed("drafts", "deleted", draft, by="api")
    return orjson.dumps(_sent(call, raw, thread).brief)


def _draft(call: Call, draft: str) -> Message:
    key = call.account.mailbox.drafts.get(draft)
    if key is None:
        raise no_entity()
    return call.account.mailbox.messages[key]


def _raw(body: Fields) -> tuple[bytes, str | None]:
    said = body.get("raw")
    if not isinstance(said, str) or not said:
        raise Failed(
            400,
            "invalidArgument",
            "'raw' RFC822 payload message string or uploading message via /upload/* URL required",
        )
    try:
        raw = base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))
    except (binascii.Error, ValueError):
        raise Failed(400, "invalidArgument", "Invalid value at 'raw' (TYPE_BYTES), Base64 decoding failed") from None
    return raw, body.get("threadId")


def _sent(call: Call, raw: bytes, thread: str | None) -> Message:
    """The message in the Sent folder, and in the inbox of whoever of the recipients is here."""
    recipients = _recipients(raw)
    raw = _with_headers(call, raw)
    message = call.account.mailbox.add(raw, ["SENT"], by="api", thread=thread)
    for recipient in recipients:
        other = call.world.accounts.get(recipient)
        if other is call.account:
            other.mailbox.relabel(message, ["UNREAD", "INBOX"], [], by="api")
        elif other is not None:
            other.mailbox.add(raw, ["UNREAD", "INBOX"], by="api")
    return message


def _recipients(raw: bytes) -> list[str]:
    parsed = parse(raw)
    found = getaddresses([parsed.header(name) for name in ("to", "cc", "bcc")])
    addresses = [address.lower() for _, address in found if "@" in address]
    if not addresses:
        raise Failed(400, "invalidArgument", "Recipient address required")
    return addresses


def _with_headers(call: Call, raw: bytes) -> bytes:
    """What Gmail adds to a mail that leaves it out."""
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0].lower()
    names = {line.partition(b":")[0] for line in head.splitlines() if not line.startswith((b" ", b"\t"))}
    domain = "mail.gmail.com"
    added = {
        b"date": formatdate(call.account.clock.now()),
        b"from": call.account.email,
        b"message-id": f"<{secrets.token_urlsafe(24)}@{domain}>",
    }
    spelled = {b"date": "Date", b"from": "From", b"message-id": "Message-ID"}
    lines = [f"{spelled[name]}: {value}\r\n" for name, value in added.items() if name not in names]
    return "".join(lines).encode() + raw
