"""One call of an API method by an access token that is good."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sandbox.courier import Courier
from sandbox.google.accounts import Account
from sandbox.google.calendars import Calendars
from sandbox.google.clients import Registry
from sandbox.google.errors import invalid
from sandbox.google.limits import Window
from sandbox.google.push import Push
from sandbox.ledger import Ledger


class World:
    """Everything that this Google knows."""

    def __init__(self, ledger: Ledger, courier: Courier) -> None:
        self.ledger = ledger
        self.push = Push(courier)
        self.registry = Registry()
        self.accounts: dict[str, Account] = {}
        self.calendars = Calendars()
        self.projects: dict[tuple[str, str], Window] = {}

    def open_account(self, email: str, name: str, time_zone: str = "UTC") -> Account:
        """A new account with a primary calendar and an empty mailbox."""
        account = self.accounts[email] = Account(email, name, self.ledger)
        self.calendars.open_account(account).fields["timeZone"] = time_zone
        account.listeners.append(partial(self.push.announced, account))
        return account


@dataclass(frozen=True, slots=True)
class Call:
    """A request as far as a method needs it."""

    world: World
    account: Account
    scopes: tuple[str, ...]
    path: dict[str, str]
    params: list[tuple[str, str]] = field(default_factory=list)
    body: dict[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        return next((value for known, value in reversed(self.params) if known == name), None)

    def many(self, name: str) -> list[str]:
        return [value for known, value in self.params if known == name]

    def yes(self, name: str, *, default: bool = False) -> bool:
        value = self.text(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false", "1", "0"):
            raise invalid(name, value)
        return value.lower() in ("true", "1")

    def number(self, name: str, default: int, most: int) -> int:
        """How many are wanted; more than the most is the most."""
        value = self.text(name)
        if value is None:
            return default
        if not value.isdecimal() or int(value) < 1:
            raise invalid(name, value)
        return min(int(value), most)
