"""Calendars, the events in them, and on whose lists they are."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.google.accounts import Account, ListEntry
from sandbox.google.errors import access_level, not_found

Fields = dict[str, Any]
ROLES = ("none", "freeBusyReader", "reader", "writer", "owner")
VIRTUAL = "@group.v.calendar.google.com"
"""Birthdays, holidays and the like: they never tell of deletions."""


@dataclass(slots=True)
class Event:
    """An event, a series, or an exception of one."""

    id: str
    fields: Fields
    version: int
    """Grows with every change in the calendar."""
    ordinal: int
    sparse: bool = False
    """Cancelled, and nothing but the id is told any more."""
    _body: bytes | None = None

    @property
    def cancelled(self) -> bool:
        return bool(self.fields["status"] == "cancelled")

    @property
    def series(self) -> str | None:
        """Of an exception: the series' id."""
        return self.fields.get("recurringEventId")

    def shown(self) -> Fields:
        """What the API tells."""
        if self.sparse:
            return {name: self.fields[name] for name in ("kind", "etag", "id", "status")}
        return self.fields

    def body(self) -> bytes:
        if self._body is None:
            self._body = orjson.dumps(self.shown())
        return self._body

    def changed(self, fields: Fields, version: int) -> None:
        self.fields, self.version, self._body = fields, version, None

    def made_sparse(self) -> None:
        self.sparse, self._body = True, None


@dataclass(slots=True)
class Calendar:
    """A calendar and who may do what with it."""

    id: str
    owner: str
    fields: Fields
    acl: dict[str, str] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    """Accounts that are refused for a while, although it stays on their lists."""
    events: dict[str, Event] = field(default_factory=dict)
    version: int = 0
    epoch: int = 0
    """Sync tokens of an earlier epoch have expired."""
    page_epoch: int = 0
    born: int = 0
    """How many events there ever were."""

    @property
    def time_zone(self) -> str:
        return str(self.fields["timeZone"])

    @property
    def virtual(self) -> bool:
        return self.id.endswith(VIRTUAL)

    def role(self, email: str) -> str:
        return self.acl.get(email, "none")

    def needs(self, email: str, role: str) -> None:
        """Nothing, or how the account is refused."""
        have = ROLES.index(self.role(email))
        if email not in self.forbidden:
            if have == 0:
                raise not_found()
            if have >= ROLES.index(role):
                return
        raise access_level(role)

    def following(self) -> int:
        self.version += 1
        return self.version

    def ordinal(self) -> int:
        self.born += 1
        return self.born


class Calendars:
    """Every calendar there is, and every account's list."""

    def __init__(self) -> None:
        self.all: dict[str, Calendar] = {}
        self.lists: dict[str, dict[str, ListEntry]] = {}
        self.versions: dict[str, int] = {}
        self.epochs: dict[str, int] = {}

    def open_account(self, account: Account) -> Calendar:
        """The account with its primary calendar."""
        self.lists[account.email] = {}
        self.versions[account.email] = 0
        return self.create(account, account.name, key=account.email, by="control")

    def create(
        self,
        account: Account,
        summary: str,
        *,
        key: str | None = None,
        by: str = "api",
        time_zone: str = "UTC",
        **more: Any,
    ) -> Calendar:
        """A calendar of the account's own, on its list."""
        key = key or f"c_{secrets.token_hex(32)}@group.calendar.google.com"
        fields = {"id": key, "summary": summary, "timeZone": time_zone, **more}
        calendar = self.all[key] = Calendar(key, account.email, fields, {account.email: "owner"})
        self.list_add(account, key, by=by)
        return calendar

    def find(self, account: Account, key: str, role: str = "freeBusyReader") -> Calendar:
        """The calendar, if the account may do with it what *role* may."""
        calendar = self.all.get(account.email if key == "primary" else key)
        if calendar is None:
            raise not_found()
        calendar.needs(account.email, role)
        return calendar

    def list_add(self, account: Account, key: str, *, by: str, **fields: Any) -> ListEntry:
        """The calendar is on the account's list."""
        entries = self.lists[account.email]
        version = self._following(account)
        if key in entries and not entries[key].removed:
            entry = entries[key]
            entry.fields |= fields
            entry.version = version
        else:
            entries.pop(key, None)
            entry = entries[key] = ListEntry(key, version, {"selected": True, "colorId": "14", **fields})
        account.changed("calendars", "listed", key, by=by)
        return entry

    def list_remove(self, account: Account, key: str, *, by: str) -> None:
        """The calendar is off the account's list."""
        entry = self.lists[account.email].get(key)
        if entry is None or entry.removed:
            raise not_found()
        entry.removed, entry.version = True, self._following(account)
        account.changed("calendars", "unlisted", key, by=by)

    def listed(self, email: str) -> list[Calendar]:
        """The calendars on the account's list."""
        return [self.all[key] for key, entry in self.lists[email].items() if not entry.removed and key in self.all]

    def shown(self, email: str, key: str) -> Fields:
        """A calendar as the account's list has it."""
        entry, calendar = self.lists[email][key], self.all.get(key)
        if entry.removed or calendar is None:
            return {"kind": "calendar#calendarListEntry", "etag": f'"{entry.version}"', "id": key, "deleted": True}
        shown = {"kind": "calendar#calendarListEntry", "etag": f'"{entry.version}"', **calendar.fields}
        shown |= {"backgroundColor": "#9fe1e7", "foregroundColor": "#000000", **entry.fields}
        shown |= {"accessRole": calendar.role(email), "defaultReminders": entry.fields.get("defaultReminders", [])}
        shown["conferenceProperties"] = {"allowedConferenceSolutionTypes": ["hangoutsMeet"]}
        return shown | ({"primary": True} if key == email else {})

    def _following(self, account: Account) -> int:
        self.versions[account.email] += 1
        return self.versions[account.email]
