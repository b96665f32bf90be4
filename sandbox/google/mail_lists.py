"""Gmail's lists: messages, threads, history, labels.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/list
https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.history/list
"""

import shlex
from bisect import bisect_right
from datetime import UTC, datetime
from typing import Any

import orjson

from sandbox.google.calls import Call
from sandbox.google.errors import Failed, no_entity
from sandbox.google.mailbox import Mailbox, Message
from sandbox.google.places import pack, unpack

DEFAULT, MOST = 100, 500
TYPES = {
    "messageAdded": "messagesAdded",
    "messageDeleted": "messagesDeleted",
    "labelAdded": "labelsAdded",
    "labelRemoved": "labelsRemoved",
}
_OUTSIDE = {"SPAM", "TRASH"}
Fields = dict[str, Any]


def list_messages(call: Call) -> bytes:
    """One page of ids, newest first."""
    box = call.account.mailbox
    found = _found(call, box)
    size, start = call.number("maxResults", DEFAULT, MOST), _start(call, box, "messages", found)
    told: Fields = {}
    if page := found[start : start + size]:
        told["messages"] = [message.ids for message in page]
    if start + size < len(found):
        last = page[-1]
        told["nextPageToken"] = pack("messages", last.date, last.id)
    return orjson.dumps(told | {"resultSizeEstimate": len(found)})


def list_threads(call: Call) -> bytes:
    """One page of threads, the one with the newest message first."""
    box = call.account.mailbox
    newest: dict[str, Message] = {}
    for message in _found(call, box):
        newest.setdefault(message.thread_id, message)
    found = list(newest.values())
    size, start = call.number("maxResults", DEFAULT, MOST), _start(call, box, "threads", found)
    page = found[start : start + size]
    told: Fields = {"resultSizeEstimate": len(found)}
    if page:
        threads = [{"id": m.thread_id, "snippet": m.parsed.snippet, "historyId": str(m.history_id)} for m in page]
        told["threads"] = threads
    if start + size < len(found):
        told["nextPageToken"] = pack("threads", page[-1].date, page[-1].id)
    return orjson.dumps(told)


def _start(call: Call, box: Mailbox, kind: str, found: list[Message]) -> int:
    token = call.text("pageToken")
    if token is None:
        return 0
    place = unpack(kind, token)
    if place is None:
        raise Failed(400, "invalidArgument", "Invalid pageToken")
    del box
    return bisect_right([(-message.date, message.id) for message in found], (-place[0], place[1]))


def _found(call: Call, box: Mailbox) -> list[Message]:
    """The messages that the request is about."""
    wanted = set(call.many("labelIds"))
    words = _words(call.text("q") or "")
    everywhere = call.yes("includeSpamTrash") or bool(wanted & _OUTSIDE) or "in:anywhere" in words
    everywhere = everywhere or any(word in ("in:trash", "in:spam") for word in words)
    found = [box.messages[key] for key in box.newest_first()]
    if not everywhere:
        found = [message for message in found if not _OUTSIDE & set(message.labels)]
    if wanted:
        found = [message for message in found if wanted <= set(message.labels)]
    return [message for message in found if all(_fits(box, message, word) for word in words)] if words else found


def _words(query: str) -> list[str]:
    try:
        return shlex.split(query)
    except ValueError:
        return query.split()


def _fits(box: Mailbox, message: Message, word: str) -> bool:
    """Whether the message is one that the word looks for; the commonest of Gmail's operators are known."""
    if word.startswith("-"):
        return not _fits(box, message, word[1:])
    name, mark, value = word.partition(":")
    name, value = name.lower(), value.lower()
    if mark and name in ("from", "to", "cc", "subject"):
        return value in message.parsed.header(name).lower()
    if mark and name == "rfc822msgid":
        return value.strip("<>") == message.parsed.header("message-id").strip("<> ").lower()
    if mark and name in ("in", "label", "is"):
        return value == "anywhere" or any(value == box.labels[label]["name"].lower() for label in message.labels)
    if mark and name in ("after", "before"):
        at = _date(value)
        return message.date >= at if name == "after" else message.date < at
    text = f"{message.parsed.header('subject')} {message.parsed.header('from')} {message.parsed.snippet}"
    return word.lower() in text.lower()


def _date(value: str) -> float:
    if value.isdecimal():
        return float(value) * 1000
    try:
        return datetime.strptime(value.replace("-", "/"), "%Y/%m/%d").replace(tzinfo=UTC).timestamp() * 1000
    except ValueError:
        return 0.0


def list_history(call: Call) -> bytes:
    """What happened since a history id, oldest first."""
    box = call.account.mailbox
    since = call.text("startHistoryId")
    if since is None or not since.isdecimal():
        raise Failed(400, "invalidArgument", "Missing or invalid startHistoryId")
    if not box.oldest <= int(since) <= box.history_id:
        raise no_entity()
    kinds = [TYPES[name] for name in call.many("historyTypes") if name in TYPES] or list(TYPES.values())
    label = call.text("labelId")
    place = unpack("history", call.text("pageToken") or "")
    if call.text("pageToken") is not None and place is None:
        raise Failed(400, "invalidArgument", "Invalid pageToken")
    after = int(place[0]) if place else int(since)
    start = bisect_right(box.history, after, key=lambda record: int(record["id"]))
    found = [record for record in box.history[start:] if _told(record, kinds, label)]
    size = call.number("maxResults", DEFAULT, MOST)
    told: Fields = {"history": found[:size]} if found else {}
    if len(found) > size:
        told["nextPageToken"] = pack("history", int(found[size - 1]["id"]))
    return orjson.dumps(told | {"historyId": str(box.history_id)})


def _told(record: Fields, kinds: list[str], label: str | None) -> bool:
    for kind in kinds:
        for change in record.get(kind, ()):
            if label is None or label in change["message"]["labelIds"] or label in change.get("labelIds", ()):
                return True
    return False


def list_labels(call: Call) -> bytes:
    return orjson.dumps({"labels": list(call.account.mailbox.labels.values())})


def get_label(call: Call) -> bytes:
    """With how many messages bear it."""
    box = call.account.mailbox
    label = box.labels.get(call.path["id"])
    if label is None:
        raise no_entity()
    bear = [message for message in box.messages.values() if label["id"] in message.labels]
    unread = [message for message in bear if "UNREAD" in message.labels]
    counts = {
        "messagesTotal": len(bear),
        "messagesUnread": len(unread),
        "threadsTotal": len({message.thread_id for message in bear}),
        "threadsUnread": len({message.thread_id for message in unread}),
    }
    return orjson.dumps(label | counts)
