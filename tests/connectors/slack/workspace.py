"""A few lines of Slack: channels with messages and threads, paged as Slack pages them."""

import base64
from datetime import UTC, datetime
from email.utils import format_datetime

from tests.connectors.conftest import http

DAY = 86_400


class Workspace:
    def __init__(self, now=1_790_000_000):
        self.now = now
        self.channels = {}
        self.messages = {}
        self.users = [{"id": "U1", "name": "ada", "deleted": False}]
        self.refuse = {}
        """Slack's word of refusal, by (method, channel)."""
        self.drop_cursors = 0
        self._count = 0

    def channel(self, name, **fields):
        self.channels[name] = {"id": name, "name": name.lower(), "is_member": True, "is_private": False} | fields
        self.messages.setdefault(name, {})
        return name

    def ts(self, ago=0.0):
        self._count += 1
        return f"{int(self.now - ago)}.{self._count:06d}"

    def post(self, channel, text="hello", ago=0.0, parent=None, **fields):
        ts = self.ts(ago)
        thread = {"thread_ts": parent} if parent else {}
        self.messages[channel][ts] = {"type": "message", "ts": ts, "text": text, "user": "U1"} | thread | fields
        return ts

    def edit(self, channel, ts, text):
        self.messages[channel][ts] |= {"text": text, "edited": {"user": "U1", "ts": self.ts()}}

    def delete(self, channel, ts):
        del self.messages[channel][ts]

    def told(self, channel, ts):
        """A message as Slack's lists show it."""
        message = dict(self.messages[channel][ts])
        replies = [m["ts"] for m in self.messages[channel].values() if m.get("thread_ts") == ts and m["ts"] != ts]
        if replies:
            message |= {"thread_ts": ts, "reply_count": len(replies), "latest_reply": max(replies)}
        return message

    def truth(self):
        return {
            (channel, ts): self.told(channel, ts) | {"channel_id": channel}
            for channel, messages in self.messages.items()
            for ts in messages
        }

    def answer(self, asked):
        method, query = asked.path.removeprefix("/api/"), asked.query
        refused = self.refuse.get((method, query.get("channel")), self.refuse.get((method, None)))
        if refused:
            return self._http({"ok": False, "error": refused})
        return self._http(getattr(self, "_" + method.replace(".", "_"))(query))

    def _http(self, body):
        return http(body, date=format_datetime(datetime.fromtimestamp(self.now, UTC), usegmt=True))

    def _page(self, query, name, records):
        begin = 0
        if "cursor" in query:
            if self.drop_cursors:
                self.drop_cursors -= 1
                return {"ok": False, "error": "invalid_cursor"}
            begin = self._place(query["cursor"], records)
        size = int(query["limit"])
        rest = records[begin:]
        more = len(rest) > size
        following = base64.b64encode(repr(self._mark(rest[size - 1])).encode()).decode() if more else ""
        return {"ok": True, name: rest[:size], "has_more": more, "response_metadata": {"next_cursor": following}}

    def _mark(self, record):
        return record.get("ts") or record["id"]

    def _place(self, cursor, records):
        mark = base64.b64decode(cursor).decode().strip("'")
        marks = [self._mark(record) for record in records]
        ascending = marks == sorted(marks)
        return next((n for n, at in enumerate(marks) if (at > mark if ascending else at < mark)), len(marks))

    def _conversations_list(self, query):
        kinds = query["types"].split(",")
        shown = [
            c for c in self.channels.values() if ("private_channel" if c["is_private"] else "public_channel") in kinds
        ]
        return self._page(query, "channels", sorted(shown, key=lambda c: c["id"]))

    def _conversations_info(self, query):
        found = self.channels.get(query["channel"])
        return {"ok": True, "channel": found} if found else {"ok": False, "error": "channel_not_found"}

    def _users_list(self, query):
        return self._page(query, "members", sorted(self.users, key=lambda user: user["id"]))

    def _within(self, query, ts):
        inclusive = query.get("inclusive") == "true"
        low, high = query.get("oldest", "0"), query.get("latest", "9")
        return low < ts < high or (inclusive and ts in (low, high))

    def _conversations_history(self, query):
        channel = query["channel"]
        if not self.channels.get(channel, {}).get("is_member"):
            return {"ok": False, "error": "not_in_channel" if channel in self.channels else "channel_not_found"}
        shown = [
            self.told(channel, ts)
            for ts, message in self.messages[channel].items()
            if message.get("thread_ts") in (None, ts) or message.get("subtype") == "thread_broadcast"
            if self._within(query, ts)
        ]
        return self._page(query, "messages", sorted(shown, key=lambda m: m["ts"], reverse=True))

    def _conversations_replies(self, query):
        channel, ts = query["channel"], query["ts"]
        if ts not in self.messages.get(channel, {}):
            return {"ok": False, "error": "thread_not_found"}
        root = self.messages[channel][ts].get("thread_ts", ts)
        shown = [
            self.told(channel, at)
            for at, message in self.messages[channel].items()
            if at == root or (message.get("thread_ts") == root and self._within(query, at))
        ]
        return self._page(query, "messages", sorted(shown, key=lambda m: m["ts"]))
