"""Connecting a Google account: consent, tokens, and their end.

A refresh token comes only with `access_type=offline`, and again only with `prompt=consent`. No sign-in scopes are asked
for: whose account it is, each API tells by itself, so that the consent page names what is read and nothing else.
https://developers.google.com/identity/protocols/oauth2/web-server
"""

import asyncio
import dataclasses
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from connectors.base import Account
from connectors.client import Client
from connectors.errors import ConnectorError, Misconfigured, Reconnect, Refused, TryLater, Unavailable
from connectors.google import GoogleApi
from connectors.google_settings import load_client
from connectors.google_tokens import ask_for_tokens, revoke_token
from connectors.oauth import Attempt, Grant, OAuthConnector
from connectors.session import Session

_LONGEST_REFRESH = 10.0
_DAY = 86_400
_SHORTEST_LIFE, _LONGEST_LIFE = 6.5 * _DAY, 8 * _DAY
"""A refresh token of an app whose consent screen is in testing ends after seven days; it is noticed soon after."""

_ONLY_FOR_NOW = (
    "{provider} did not allow access beyond this hour, so nothing was connected. Remove this app under "
    "https://myaccount.google.com/permissions and connect again."
)
_NOTHING_GRANTED = (
    "{provider} was connected without permission to read it, so nothing was kept. "
    "Connect again and leave the boxes on Google's page ticked."
)
_CODE_REFUSED = (
    "{provider} did not accept this sign-in: it took too long or was used before. Connect again from the beginning."
)
_SEVEN_DAYS = (
    "{provider} ended this access after seven days, as Google does for applications whose consent screen is External "
    "and in testing. Your data is kept: publish the application in the Google Cloud console, then connect again."
)
_ENDED = (
    "{provider} asked us to reconnect: access was revoked or has ended. Your data is kept: connect the account again "
    "to go on."
)


class GoogleConnector(OAuthConnector):
    """A connector that reads one of Google's APIs with the consent of the account's user."""

    api: ClassVar[GoogleApi]
    credential_fields = ("access_token", "refresh_token", "expires_at", "granted_at")

    @property
    def pkce(self) -> bool:
        return True

    def open(self, session: Session) -> AbstractAsyncContextManager[Client]:
        return self.api.open(session)

    def check_settings(self) -> None:
        load_client()
        self.api.origin()

    def authorize_url(self, attempt: Attempt) -> str:
        settings = load_client()
        more = {"access_type": "offline", "prompt": "consent", "include_granted_scopes": "false"}
        if attempt.verifier:
            more |= {
                "code_challenge": create_s256_code_challenge(attempt.verifier),
                "code_challenge_method": "S256",
            }
        url: str = prepare_grant_uri(
            settings.authorize_url,
            settings.client_id,
            "code",
            redirect_uri=attempt.redirect_uri,
            scope=" ".join(self.asked_scopes),
            state=attempt.state,
            **more,
        )
        return url

    async def exchange(self, session: Session, attempt: Attempt, code: str) -> Grant:
        form = {"code": code, "redirect_uri": attempt.redirect_uri}
        if attempt.verifier:
            form["code_verifier"] = attempt.verifier
        tokens = await ask_for_tokens(self.name, self.title, session, "authorization_code", form, refused=_CODE_REFUSED)
        if not tokens.refresh_token:
            raise ConnectorError(self.title, _ONLY_FOR_NOW, code="no_refresh_token")
        # What was not ticked is missing here; an answer without a scope grants what was asked for (RFC 6749, 5.1).
        scopes = tuple(tokens.scope.split()) if isinstance(tokens.scope, str) else self.asked_scopes
        credentials = tokens.credentials | {"granted_at": str(int(time.time()))}
        return Grant(await self._whose(session, credentials, scopes), credentials, scopes)

    async def _whose(self, session: Session, credentials: Mapping[str, str], scopes: tuple[str, ...]) -> Account:
        granted = dataclasses.replace(session, credentials=credentials, scopes=frozenset(scopes), renew=None)
        try:
            async with self.open(granted) as client:
                return await self.identify(client)
        except Refused:
            if frozenset(scopes) >= frozenset(self.asked_scopes):
                raise
        raise ConnectorError(self.title, _NOTHING_GRANTED, code="nothing_granted")

    async def refresh(self, session: Session) -> Mapping[str, str]:
        known = session.credentials
        told = _SEVEN_DAYS if _is_seven_days(known.get("granted_at")) else _ENDED
        # Without a scope: Google then grants again what was granted, which may be less than what was asked for.
        form = {"refresh_token": known.get("refresh_token", "")}
        try:
            async with asyncio.timeout(_LONGEST_REFRESH):
                tokens = await ask_for_tokens(self.name, self.title, session, "refresh_token", form, refused=told)
        except (Reconnect, Misconfigured, TryLater):
            raise
        except (ConnectorError, TimeoutError):
            raise Unavailable(self.title) from None
        return {**known, **tokens.credentials}

    async def revoke(self, session: Session) -> None:
        token = session.credentials.get("refresh_token") or session.credentials.get("access_token", "")
        await revoke_token(self.name, self.title, session, token)

    def grant_key(self, account: Account) -> str:
        """One for all that an account granted to this application, whatever it is read through: Google revokes all."""
        return f"google {account.external_account_id.lower()}"


def _is_seven_days(granted_at: str | None) -> bool:
    if granted_at is None or not granted_at.isdecimal():
        return False
    return _SHORTEST_LIFE <= time.time() - int(granted_at) <= _LONGEST_LIFE
