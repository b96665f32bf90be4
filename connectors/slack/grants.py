"""Connecting a workspace: consent, the app's token, its renewal and its end.

The token is the app's own (a bot token). Where the app has token rotation switched on it holds for twelve hours, and
its refresh token is good for one use. https://docs.slack.dev/authentication/installing-with-oauth
"""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from connectors.answers import Answer, UnparsableError
from connectors.base import Account
from connectors.errors import ConnectorError, Misconfigured, Reconnect, TryLater, Unavailable, Unproved
from connectors.oauth import Attempt, Grant, OAuthConnector
from connectors.request import Request
from connectors.session import Session
from connectors.slack import api
from connectors.slack.answers import accepted
from connectors.slack.refusals import meaning
from connectors.slack.settings import TITLE, load, load_client

_ACCESS = "/api/oauth.v2.access"
_FORM = {"content-type": "application/x-www-form-urlencoded"}

_CODE_SPENT = frozenset({"bad_verifier", "code_already_used", "invalid_code", "invalid_code_verifier", "code_expired"})
_GRANT_ENDED = frozenset({"invalid_grant", "invalid_refresh_token", "token_expired", "token_revoked", "expired_token"})

_CODE_REFUSED = (
    "{provider} did not accept this sign-in: it took too long or was used before. Connect again from the beginning."
)
_ENDED = (
    "{provider} asked us to reconnect: access was revoked or has ended. Your messages are kept: connect the workspace "
    "again to go on."
)
_ORGANISATION = (
    "The app was installed for a whole organisation. Choose one workspace on {provider}'s page and connect again."
)


class SlackGrants(OAuthConnector):
    """How this provider's tokens come, are renewed, and end."""

    credential_fields = ("access_token", "refresh_token", "expires_at")
    asked_scopes: ClassVar[tuple[str, ...]] = (
        "channels:history",
        "channels:read",
        "chat:write",
        "groups:history",
        "groups:read",
        "users:read",
    )
    reads: ClassVar[tuple[str, ...]] = (
        "The list of public channels, and of the private channels that the app is invited to",
        "The people in the workspace: names and profiles, without e-mail addresses",
        "Messages and replies in the channels that the app is in",
    )

    @property
    def pkce(self) -> bool:
        return load().pkce

    def check_settings(self) -> None:
        load_client()

    def authorize_url(self, attempt: Attempt) -> str:
        settings = load_client()
        challenge = {}
        if attempt.verifier:
            challenge = {
                "code_challenge": create_s256_code_challenge(attempt.verifier),
                "code_challenge_method": "S256",
            }
        url: str = prepare_grant_uri(
            f"{settings.api_url}/oauth/v2/authorize",
            settings.client_id,
            "code",
            redirect_uri=attempt.redirect_uri,
            scope=",".join(self.asked_scopes),
            state=attempt.state,
            **challenge,
        )
        return url

    async def exchange(self, session: Session, attempt: Attempt, code: str) -> Grant:
        form = {"code": code, "redirect_uri": attempt.redirect_uri}
        form |= {"code_verifier": attempt.verifier} if attempt.verifier else {}
        got = await self._ask(session, "authorization_code", form)
        team = _team(got.team)
        if team is None:
            raise ConnectorError(TITLE, _ORGANISATION, code="whole_organisation")
        return Grant(team, got.credentials, tuple(part for part in str(got.scope or "").split(",") if part))

    async def refresh(self, session: Session) -> Mapping[str, str]:
        known = session.credentials
        try:
            got = await self._ask(session, "refresh_token", {"refresh_token": known.get("refresh_token", "")})
        except (Reconnect, Misconfigured, TryLater):
            raise
        except ConnectorError as error:
            raise Unavailable(TITLE) from error
        return {**known, **got.credentials}

    async def revoke(self, session: Session) -> None:
        request = Request("POST", "/api/auth.revoke", b"/api/auth.revoke", b"", _FORM)
        async with api.open_client(session) as client:
            try:
                await client.send(request, lambda answer: accepted(answer.content), repeatable=True)
            except Reconnect:
                return  # it was over already

    def grant_key(self, account: Account) -> str:
        """One for each workspace: a new installation there takes the place of the old one."""
        return f"slack {account.external_account_id}"

    async def _ask(self, session: Session, grant_type: str, form: Mapping[str, str]) -> "_Granted":
        """The token endpoint's answer. Sent once: codes and refresh tokens are good for one use."""
        settings = load_client()
        # A public client has no secret to send: with both Slack refuses.
        secret = {} if settings.pkce else {"client_secret": settings.client_secret.get_secret_value()}
        body = prepare_token_request(grant_type, client_id=settings.client_id, **secret, **form)
        request = Request("POST", _ACCESS, _ACCESS.encode(), body.encode(), _FORM)
        async with api.open_anonymous_client(session) as client:
            try:
                return await client.send(request, _parse_granted)
            except Unproved:
                pass
        raise Unavailable(TITLE)


class _Granted(msgspec.Struct):
    ok: bool
    error: Any = None
    access_token: Any = None
    refresh_token: Any = None
    expires_in: Any = None
    scope: Any = None
    team: Any = None

    @property
    def credentials(self) -> dict[str, str]:
        """The token, and what renews it where the app has rotation switched on."""
        found = {"access_token": str(self.access_token)}
        if isinstance(self.refresh_token, str) and self.refresh_token:
            found["refresh_token"] = self.refresh_token
        if isinstance(self.expires_in, int) and self.expires_in > 0:
            found["expires_at"] = str(int(time.time()) + self.expires_in)
        return found


class _Team(msgspec.Struct):
    team_id: Any = None
    team: Any = None


_granted = msgspec.json.Decoder(_Granted).decode
_teams = msgspec.json.Decoder(_Team).decode


def team_of(body: bytes) -> Account | None:
    """The workspace that an answer of auth.test names."""
    try:
        found = _teams(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return _team({"id": found.team_id, "name": found.team})


def _team(said: object) -> Account | None:
    team_id = said.get("id") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(team_id, str) or not team_id:
        return None
    name = said.get("name")
    return Account(team_id, name if isinstance(name, str) and name else team_id)


def _parse_granted(answer: Answer) -> _Granted:
    try:
        got = _granted(answer.content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise UnparsableError from None
    if not got.ok:
        raise _refused(got.error)
    if not isinstance(got.access_token, str) or not got.access_token:
        raise UnparsableError
    return got


def _refused(word: object) -> Exception:
    if word in _CODE_SPENT:
        return ConnectorError(TITLE, _CODE_REFUSED, code="code_refused")
    return Reconnect(TITLE, _ENDED) if word in _GRANT_ENDED else meaning(word)
