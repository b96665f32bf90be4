"""Which account a key opens."""

import base64
import secrets
from binascii import Error as NotBase64
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial

from sandbox.ledger import Ledger
from sandbox.stripe import errors
from sandbox.stripe.store import Store
from sandbox.stripe.webhooks import Webhooks

DEMO_KEY = "sk_test_demo"
DEMO_ACCOUNT = "acct_1Sandbox"


@dataclass(slots=True)
class Key:
    """An API key, what it opens, and what it may not."""

    secret: str
    store: Store
    forbidden: tuple[str, ...] = ()
    """Patterns of paths that a restricted key may not use."""
    revoked: bool = False

    def check(self, path: str) -> None:
        """Nothing, or Stripe's refusal of this key for this path."""
        if self.revoked:
            raise errors.expired_key(self.secret)
        if any(fnmatchcase(path, pattern) for pattern in self.forbidden):
            raise errors.not_permitted(self.secret, self.store.account, path)


class Accounts:
    """The keys, and behind them one store for each account and mode."""

    def __init__(self, ledger: Ledger, webhooks: Webhooks) -> None:
        self._ledger = ledger
        self._webhooks = webhooks
        self.keys: dict[str, Key] = {}
        self._stores: dict[tuple[str, str], Store] = {}
        self.open(account=DEMO_ACCOUNT, secret=DEMO_KEY)

    def open(
        self,
        *,
        account: str | None = None,
        mode: str = "test",
        prefix: str = "sk",
        secret: str | None = None,
        forbidden: tuple[str, ...] = (),
    ) -> Key:
        """A new key, for that account or for a new one."""
        account = account or "acct_1" + secrets.token_hex(7)
        if (account, mode) not in self._stores:
            made = Store(account, mode, self._ledger)
            made.listeners.append(partial(self._webhooks.tell, account, mode))
            self._stores[account, mode] = made
        store = self._stores[account, mode]
        key = Key(secret or f"{prefix}_{mode}_{secrets.token_hex(12)}", store, forbidden)
        self.keys[key.secret] = key
        return key

    def find(self, authorization: str | None) -> Key:
        """The key that an `Authorization` header carries, or Stripe's refusal."""
        secret = bearer(authorization)
        if not secret:
            raise errors.no_key()
        key = self.keys.get(secret)
        if key is None:
            raise errors.invalid_key(secret)
        return key


def bearer(authorization: str | None) -> str | None:
    """The key in the header: after `Bearer`, or as the user name of basic authentication."""
    scheme, _, rest = (authorization or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest).decode().partition(":")[0] or None
        except (NotBase64, UnicodeDecodeError):
            return None
    return None
