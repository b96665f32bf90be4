"""A mailbox: messages, labels, drafts, and the history of what happened to them.

https://developers.google.com/workspace/gmail/api/guides/sync
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from sandbox.google.errors import Failed, no_entity
from sandbox.google.mime import Parsed, b64, parse

if TYPE_CHECKING:
    from sandbox.google.accounts import Account

Fields = dict[str, Any]
SYSTEM = (
    *("CHAT", "SENT", "INBOX", "IMPORTANT", "TRASH", "DRAFT", "SPAM", "UNREAD", "STARRED", "YELLOW_STAR"),
    *(f"CATEGORY_{name}" for name in ("FORUMS", "UPDATES", "PERSONAL", "PROMOTIONS", "SOCIAL")),
)


@dataclass(slots=True)
class Message:
    """One mail in a mailbox."""

    id: str
    thread_id: str
    labels: list[str]
    date: int
    """When it came in, in milliseconds."""
    history_id: int
    make_raw: Callable[[], bytes]
    parsed: Parsed
    size: int
    _payload: bytes = b""
    _full: bytes | None = None

    @property
    def ids(self) -> Fields:
        return {"id": self.id, "threadId": self.thread_id}

    @property
    def brief(self) -> Fields:
        """As history tells of it."""
        return self.ids | {"labelIds": self.labels}

    def minimal(self) -> Fields:
        more = {"snippet": self.parsed.snippet, "sizeEstimate": self.size, "historyId": str(self.history_id)}
        return self.brief | more | {"internalDate": str(self.date)}

    def full(self) -> bytes:
        """The whole message, ready to be sent again and again."""
        if self._full is None:
            self._payload = self._payload or orjson.dumps(self.parsed.payload)
            head, tail = orjson.dumps(self.brief | {"snippet": self.parsed.snippet})[:-1], self.minimal()
            rest = orjson.dumps({name: tail[name] for name in ("sizeEstimate", "historyId", "internalDate")})
            self._full = head + b',"payload":' + self._payload + b"," + rest[1:]
        return self._full

    def metadata(self, names: Iterable[str]) -> bytes:
        """Headers without bodies: all, or those named."""
        wanted = {name.lower() for name in names}
        headers = [h for h in self.parsed.payload["headers"] if not wanted or h["name"].lower() in wanted]
        payload = {"mimeType": self.parsed.payload["mimeType"], "headers": headers}
        return orjson.dumps(self.minimal() | {"payload": payload})

    def raw(self) -> bytes:
        return orjson.dumps(self.minimal() | {"raw": b64(self.make_raw())})

    def touched(self, history_id: int) -> None:
        self.history_id, self._full = history_id, None


@dataclass(slots=True)
class Mailbox:
    """What an account's Gmail holds."""

    account: "Account"
    messages: dict[str, Message] = field(default_factory=dict)
    labels: dict[str, Fields] = field(default_factory=dict)
    drafts: dict[str, str] = field(default_factory=dict)
    """Of each draft: the id of its message."""
    history: list[Fields] = field(default_factory=list)
    history_id: int = 1000
    oldest: int = 1000
    """Of what happened before there is no history any more."""
    order: list[str] | None = None
    """The messages' ids, newest first; None until it is asked for again."""

    def __post_init__(self) -> None:
        for name in SYSTEM:
            self.labels[name] = {"id": name, "name": name, "type": "system"}

    def find(self, key: str) -> Message:
        message = self.messages.get(key)
        if message is None:
            raise no_entity() if _is_id(key) else Failed(400, "invalidArgument", "Invalid id value")
        return message

    def newest_first(self) -> list[str]:
        if self.order is None:
            self.order = sorted(self.messages, key=lambda key: (-self.messages[key].date, key))
        return self.order

    def add(
        self, raw: bytes, labels: Iterable[str], *, by: str, thread: str | None = None, date: int | None = None
    ) -> Message:
        """A new message."""
        return self.put(parse(raw), lambda: raw, len(raw), labels, by=by, thread=thread, date=date)

    def put(
        self, parsed: Parsed, make_raw: Callable[[], bytes], size: int, labels: Iterable[str], *,
        by: str, thread: str | None = None, date: int | None = None, key: str | None = None,
    ) -> Message:  # fmt: skip
        """The same when it is taken apart already."""
        key = key or secrets.token_hex(8)
        now = int(self.account.clock.now() * 1000)
        message = Message(key, thread or key, list(dict.fromkeys(labels)), date or now, 0, make_raw, parsed, size)
        self.messages[key] = message
        self.order = None
        self._record(message, "messagesAdded", "created", by=by)
        return message

    def relabel(self, message: Message, add: Iterable[str], remove: Iterable[str], *, by: str) -> None:
        """These labels are on the message, those are not."""
        wanted, unwanted = list(add), set(remove)
        for name in (*wanted, *unwanted):
            if name not in self.labels:
                raise Failed(400, "invalidArgument", f"Invalid label: {name}")
        removed = [name for name in message.labels if name in unwanted]
        added = [name for name in dict.fromkeys(wanted) if name not in message.labels]
        message.labels = [name for name in message.labels if name not in removed]
        if removed:
            self._record(message, "labelsRemoved", "updated", by=by, labels=removed)
        message.labels = [*message.labels, *added]
        if added:
            self._record(message, "labelsAdded", "updated", by=by, labels=added)

    def delete(self, message: Message, *, by: str) -> None:
        """The message is gone for good."""
        del self.messages[message.id]
        self.order = None
        self.drafts = {draft: key for draft, key in self.drafts.items() if key != message.id}
        self._record(message, "messagesDeleted", "deleted", by=by)

    def label(self, name: str, *, by: str, key: str | None = None, **fields: Any) -> Fields:
        """A new label of the user's own."""
        if any(known["name"].lower() == name.lower() for known in self.labels.values()):
            raise Failed(409, "aborted", "Label name exists or conflicts")
        key = key or f"Label_{len(self.labels)}{secrets.randbelow(10**6)}"
        shown = {"messageListVisibility": "show", "labelListVisibility": "labelShow"} | fields
        self.labels[key] = {"id": key, "name": name, **shown, "type": "user"}
        self.account.changed("labels", "created", key, by=by)
        return self.labels[key]

    def forget_history(self) -> None:
        """Nothing is told any more of what happened until now."""
        self.history.clear()
        self.history_id += 1
        self.oldest = self.history_id

    def _record(self, message: Message, kind: str, change: str, *, by: str, labels: list[str] | None = None) -> None:
        self.history_id += 1
        message.touched(self.history_id)
        told: Fields = {"message": message.ids | {"labelIds": list(message.labels)}}
        if labels is not None:
            told["labelIds"] = labels
        self.history.append({"id": str(self.history_id), "messages": [message.ids], kind: [told]})
        self.account.changed("messages", change, message.id, by=by)


def _is_id(key: str) -> bool:
    return bool(key) and all(sign in "0123456789abcdef" for sign in key)
