"""What a database would hold after a sync: rows by key, as pages and windows have it, without any database."""

import json


class Copy:
    def __init__(self, slack, client):
        self.stream = slack.stream("messages")
        self.slack = slack
        self.client = client
        self.rows = {}
        self.cursor = {}
        self.coverage = None
        self.unreadable = {}
        self.requests = 0

    async def read_in_full(self, steps=None):
        """Every part to its end, resumed from its cursor after so many pages; what was covered and not met is gone."""
        met, covered = {}, set()
        for start in await self.stream.starts(self.client):
            cursor = start
            while cursor is not None:
                taken = 0
                async for page in self.stream.pages(self.client, cursor):
                    met |= keyed(page.records)
                    covered |= set(page.covered)
                    self.unreadable |= page.unreadable
                    self.cursor |= json.loads(json.dumps(page.learned or {}))
                    cursor = json.loads(json.dumps(page.cursor))
                    taken += 1
                    if taken == steps:
                        break
        kept = {key: row for key, row in self.rows.items() if key[0] not in covered}
        self.rows = kept | met

    async def read_changes(self, steps=None):
        """What the feed brings, of which only the first so many are applied. Whether it came to its end."""
        taken = 0
        async for change in self.slack.changes(self.client, {"messages": self.cursor}):
            self.rows |= keyed(change.page.records)
            if change.window:
                self.retire(change.window)
            if change.page.cursor is not None:
                self.cursor = json.loads(json.dumps(change.page.cursor))
            self.coverage = change.coverage or self.coverage
            taken += 1
            if taken == steps:
                return False
        return True

    def retire(self, window):
        for key, row in list(self.rows.items()):
            channel, ts = key
            inside = channel == window.scope and (window.low or "") <= ts <= (window.high or "~")
            column, value = window.belonging
            belongs = row.get(column, ts) == ts if value is None else row.get(column) == value
            if inside and belongs and key not in window.keys:
                del self.rows[key]


def keyed(records):
    found = [json.loads(record) for record in records]
    return {(record["channel_id"], record["ts"]): record for record in found}
