"""What a test does to a mailbox."""

import base64
import secrets
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

import orjson

from sandbox.google.accounts import Account
from sandbox.google.calls import World
from sandbox.google.mailbox import Message

Body = dict[str, Any]


def truth(account: Account, stream: str) -> list[tuple[str, bytes]]:
    """The records of `messages` or of `labels`; nothing for another stream."""
    box = account.mailbox
    if stream == "messages":
        return [(key, message.full()) for key, message in box.messages.items()]
    if stream == "labels":
        return [(key, orjson.dumps(label)) for key, label in box.labels.items()]
    return []


def _deliver(world: World, account: Account, body: Body) -> Body:
    """`{raw? (base64) | subject?, text?, html?, from?, to?, attachments?: {name: base64}, labels?, thread?, date?}`."""
    del world
    raw = base64.b64decode(body["raw"]) if "raw" in body else _written(account, body)
    labels = body.get("labels", ["UNREAD", "INBOX"])
    date = None if body.get("date") is None else int(float(body["date"]) * 1000)
    message = account.mailbox.add(raw, labels, by="control", thread=body.get("thread"), date=date)
    return _shown(message)


def _written(account: Account, body: Body) -> bytes:
    mail = EmailMessage()
    mail["From"] = body.get("from", "Ada <ada@example.com>")
    mail["To"] = body.get("to", account.email)
    mail["Subject"] = body.get("subject", "Hello")
    mail["Date"] = formatdate(body.get("date") or account.clock.now())
    mail["Message-ID"] = f"<{secrets.token_hex(8)}@example.com>"
    for name, value in body.get("headers", {}).items():
        mail[name] = value
    mail.set_content(body.get("text", "Hello"))
    if "html" in body:
        mail.add_alternative(body["html"], subtype="html")
    for name, content in body.get("attachments", {}).items():
        mail.add_attachment(base64.b64decode(content), maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def _label_message(world: World, account: Account, body: Body) -> Body:
    """`{id, add?, remove?}`: labels by their ids."""
    del world
    message = account.mailbox.find(body["id"])
    account.mailbox.relabel(message, body.get("add", []), body.get("remove", []), by="control")
    return _shown(message)


def _trash(world: World, account: Account, body: Body) -> Body:
    """`{id, restore?}`: in the trash, or out of it."""
    labels = ([], ["TRASH"]) if body.get("restore") else (["TRASH"], ["INBOX"])
    return _label_message(world, account, {"id": body["id"], "add": labels[0], "remove": labels[1]})


def _delete_message(world: World, account: Account, body: Body) -> Body:
    """`{id, silent?}`: gone for good; silently, history does not tell."""
    del world
    box = account.mailbox
    box.delete(box.find(body["id"]), by="control")
    if body.get("silent"):
        box.history.pop()
    return {}


def _draft(world: World, account: Account, body: Body) -> Body:
    """As `deliver`: a draft; with `draft`, that draft has a new text, and its message another id."""
    box = account.mailbox
    draft = body.pop("draft", None)
    if draft is not None:
        box.delete(box.messages[box.drafts[draft]], by="control")
    said = _deliver(world, account, body | {"labels": ["DRAFT"]})
    draft = draft or f"r-{secrets.randbelow(10**18)}"
    box.drafts[draft] = said["id"]
    return {"id": draft, "message": said}


def _create_label(world: World, account: Account, body: Body) -> Body:
    """`{name, …}`: a label of the user's own."""
    del world
    return account.mailbox.label(body.pop("name"), by="control", **body)


def _change_label(world: World, account: Account, body: Body) -> Body:
    """`{id, name?, …}`."""
    del world
    label = account.mailbox.labels[body["id"]]
    label |= body
    account.changed("labels", "updated", body["id"], by="control")
    return label


def _delete_label(world: World, account: Account, body: Body) -> Body:
    """`{id}`: gone, from all messages too."""
    del world
    box = account.mailbox
    for message in list(box.messages.values()):
        if body["id"] in message.labels:
            box.relabel(message, [], [body["id"]], by="control")
    del box.labels[body["id"]]
    account.changed("labels", "deleted", body["id"], by="control")
    return {}


def _forget_history(world: World, account: Account, body: Body) -> Body:
    """Every history id until now is too old."""
    del world, body
    account.mailbox.forget_history()
    return {"historyId": str(account.mailbox.history_id)}


def _shown(message: Message) -> Body:
    return message.minimal()


CALLS: dict[str, Callable[[World, Account, Body], Body]] = {
    "change_label": _change_label,
    "create_label": _create_label,
    "delete_label": _delete_label,
    "delete_message": _delete_message,
    "deliver": _deliver,
    "draft": _draft,
    "forget_history": _forget_history,
    "label_message": _label_message,
    "trash": _trash,
}
