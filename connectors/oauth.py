"""Connectors whose user signs in at the provider: authorization code out, tokens back, renewed and revoked.

Codes and rotating refresh tokens are good for one use, so none of these requests is sent a second time by itself.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from connectors.base import Account, Connector
from connectors.session import Session


@dataclass(frozen=True, slots=True)
class Attempt:
    """One authorization: what the browser was sent away with, and what it must come back with."""

    redirect_uri: str
    state: str = field(repr=False)
    verifier: str | None = field(default=None, repr=False)
    """RFC 7636; None where the provider is not asked with PKCE."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a user has given: whose account, what opens it, and what may be done with it.

    `credentials` hold access_token, and refresh_token and expires_at (Unix seconds as text) where there are such.
    """

    account: Account
    credentials: Mapping[str, str] = field(repr=False)
    scopes: tuple[str, ...]


class OAuthConnector(Connector):
    """A connector that is connected by a link and not by a key. Its settings hold the team's own OAuth client."""

    credential_fields: ClassVar[tuple[str, ...]] = ("access_token", "refresh_token", "expires_at")
    asked_scopes: ClassVar[tuple[str, ...]]
    """What the user is asked for, no more than the streams and actions need."""
    reads: ClassVar[tuple[str, ...]]
    """What will be read, in words for the page on which the user decides."""

    @property
    @abstractmethod
    def pkce(self) -> bool:
        """Whether authorizations carry a code challenge (S256)."""

    @abstractmethod
    def check_settings(self) -> None:
        """Misconfigured, naming the variable, unless an authorization could begin."""

    @abstractmethod
    def authorize_url(self, attempt: Attempt) -> str:
        """Where the browser is sent."""

    @abstractmethod
    async def exchange(self, session: Session, attempt: Attempt, code: str) -> Grant:
        """What the user granted. Raises ConnectorErrors; nothing may be connected then."""

    @abstractmethod
    async def refresh(self, session: Session) -> Mapping[str, str]:
        """New credentials for the session's, within 10 s; within 25 s where a refresh token is good for one use.

        Only the provider's own invalid_grant is Reconnect, invalid_client is Misconfigured, all else TryLater.
        """

    @abstractmethod
    async def revoke(self, session: Session) -> None:
        """The grant is over at the provider; one that was over already is no error."""

    @abstractmethod
    def grant_key(self, account: Account) -> str:
        """Names what a revocation would end: connections with the same key rest on the same grant."""
