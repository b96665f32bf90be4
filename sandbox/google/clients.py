"""OAuth clients, what users granted them, and the tokens that they hold.

https://developers.google.com/identity/protocols/oauth2
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

LIFETIME = 3600
CODE_LIFETIME = 600
MOST_REFRESH_TOKENS = 100
"""Live ones for each account and client; the oldest dies when there is one more."""

CALENDAR = "https://www.googleapis.com/auth/calendar"
CALENDAR_READ = f"{CALENDAR}.readonly"
CALENDAR_EVENTS = f"{CALENDAR}.events"
GMAIL_READ = "https://www.googleapis.com/auth/gmail.readonly"
GMAIL_COMPOSE = "https://www.googleapis.com/auth/gmail.compose"
GMAIL_MODIFY = "https://www.googleapis.com/auth/gmail.modify"
MAIL = "https://mail.google.com/"
COMMON = (CALENDAR_READ, CALENDAR_EVENTS, GMAIL_READ, GMAIL_COMPOSE)


@dataclass(slots=True)
class OAuthClient:
    """A client of the kind web application as it is set up in the Cloud console."""

    id: str
    secret: str
    name: str = "Syncline"
    redirect_uris: list[str] = field(default_factory=list)
    """Compared letter by letter."""
    loopback: bool = True
    """Whether it also takes any address of this machine, of which a sandbox cannot know the port beforehand."""
    accounts: list[str] = field(default_factory=list)
    """Who is offered by the consent page, the one signed in first; nobody named is everybody."""
    testing: bool = False
    """Consent screen External and Testing: refresh tokens end after seven days."""

    def takes(self, redirect_uri: str) -> bool:
        starts = ("http://127.0.0.1:", "http://localhost:", "http://127.0.0.1/", "http://localhost/")
        return redirect_uri in self.redirect_uris or (self.loopback and redirect_uri.startswith(starts))


@dataclass(slots=True)
class Refresh:
    """A refresh token. It serves any number of times until it is dead."""

    secret: str
    scopes: tuple[str, ...]
    expires_at: float | None = None
    dead: bool = False


@dataclass(slots=True)
class Grant:
    """What one user granted one client; it ends as a whole."""

    email: str
    client: OAuthClient
    scopes: set[str] = field(default_factory=set)
    refreshes: list[Refresh] = field(default_factory=list)
    """Live ones, oldest first."""
    live: bool = True


@dataclass(slots=True)
class Access:
    """An access token and what it opens."""

    secret: str
    grant: Grant
    scopes: tuple[str, ...]
    expires_at: float
    dead: bool = False


@dataclass(slots=True)
class Code:
    """What the browser brings back from the consent page."""

    secret: str
    grant: Grant
    scopes: tuple[str, ...]
    redirect_uri: str
    expires_at: float
    offline: bool
    challenge: str | None = None
    method: str = "plain"
    nonce: str | None = None
    used: bool = False


class Registry:
    """All clients, grants and tokens."""

    def __init__(self) -> None:
        self.clients: dict[str, OAuthClient] = {}
        self.grants: dict[tuple[str, str], Grant] = {}
        self.codes: dict[str, Code] = {}
        self.accesses: dict[str, Access] = {}
        self.refreshes: dict[str, tuple[Grant, Refresh]] = {}

    def grant(self, email: str, client: OAuthClient) -> Grant | None:
        """What is granted at present."""
        found = self.grants.get((email, client.id))
        return found if found is not None and found.live else None

    def open_grant(self, email: str, client: OAuthClient, scopes: Iterable[str]) -> Grant:
        """The grant, widened by these scopes."""
        found = self.grant(email, client)
        if found is None:
            found = self.grants[email, client.id] = Grant(email, client)
        found.scopes |= set(scopes)
        return found

    def access(self, grant: Grant, scopes: tuple[str, ...], now: float) -> Access:
        secret = f"ya29.{secrets.token_urlsafe(120)}"
        access = self.accesses[secret] = Access(secret, grant, scopes, now + LIFETIME)
        return access

    def refresh(self, grant: Grant, scopes: tuple[str, ...], now: float) -> Refresh:
        """A refresh token; too many of them cost the oldest its life."""
        ends = now + 7 * 86_400 if grant.client.testing else None
        refresh = Refresh(f"1//0{secrets.token_urlsafe(72)}", scopes, ends)
        self.refreshes[refresh.secret] = (grant, refresh)
        grant.refreshes.append(refresh)
        while len(grant.refreshes) > MOST_REFRESH_TOKENS:
            grant.refreshes.pop(0).dead = True
        return refresh

    def end(self, grant: Grant) -> int:
        """Nothing of the grant is good any more; says how many tokens that were."""
        grant.live = False
        mine = [access for access in self.accesses.values() if access.grant is grant and not access.dead]
        ended = len(mine) + len(grant.refreshes)
        for access in mine:
            access.dead = True
        for refresh in grant.refreshes:
            refresh.dead = True
        grant.refreshes.clear()
        return ended

    def find(self, secret: str, now: float) -> Grant | None:
        """The grant that a token, of either kind, rests on while it is good."""
        if (access := self.accesses.get(secret)) is not None:
            return None if access.dead or access.expires_at <= now else access.grant
        if (found := self.refreshes.get(secret)) is not None:
            grant, refresh = found
            return None if refresh.dead else grant
        return None
