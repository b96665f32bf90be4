"""`oauth.v2.access`, `oauth.v2.exchange`, `auth.revoke` and `apps.uninstall`: tokens come and go.

https://docs.slack.dev/reference/methods/oauth.v2.access
"""

import base64
import hashlib
import hmac
from binascii import Error as NotBase64
from typing import Any

import orjson

from sandbox.http import Request
from sandbox.slack.apps import LIFETIME, App, Code, Installation, Refresh, Registry, Token
from sandbox.slack.arguments import Arguments
from sandbox.slack.calls import Call
from sandbox.slack.errors import Failed
from sandbox.slack.workspace import Workspace

PUBLIC_LIFETIME = 30 * 24 * 3600.0  # refresh tokens of apps that use PKCE
Fields = dict[str, Any]


def workspace_of(registry: Registry, said: Arguments) -> Workspace | None:
    """The workspace that a request for tokens is about, as far as its code or refresh token tells."""
    if (code := registry.codes.get(said.text("code") or "")) is not None:
        return code.workspace
    if (refresh := registry.refreshes.get(said.text("refresh_token") or "")) is not None:
        return refresh.token.installation.workspace
    token = registry.tokens.get(said.text("token") or "")
    return token.installation.workspace if token else None


def access(registry: Registry, request: Request, said: Arguments) -> bytes:
    """Tokens for a code, or for a refresh token."""
    grant = said.text("grant_type") or "authorization_code"
    if grant == "refresh_token":
        return orjson.dumps(_refreshed(registry, _app(registry, request, said), said))
    if grant != "authorization_code":
        raise Failed("invalid_grant_type")
    public = said.text("code_verifier") is not None
    return orjson.dumps(_granted(registry, _app(registry, request, said, public=public), said))


def exchange(registry: Registry, request: Request, said: Arguments) -> bytes:
    """Tokens that end for one that does not."""
    app = _app(registry, request, said)
    _, _, bearer = request.headers.get("authorization", "").partition("Bearer ")
    token = registry.tokens.get(said.text("token") or bearer)
    if token is None or token.refusal or token.installation.app is not app:
        raise Failed("invalid_token")
    if not app.rotation or token.expires_at is not None:
        raise Failed("token_rotation_not_enabled" if not app.rotation else "token_already_rotated")
    token.refusal = "token_revoked"
    return orjson.dumps(told(registry, _another(registry, token)))


def revoke(call: Call) -> bytes:
    """The token is no longer good; with the bot's the app is no longer installed."""
    if call.said.yes("test"):
        return orjson.dumps({"ok": True, "revoked": False})
    call.token.refusal = "token_revoked"
    if call.token.bot:
        end(call.registry, call.token.installation, "token_revoked")
    call.workspace.changed("deleted", "tokens", call.token.user, by="api")
    return orjson.dumps({"ok": True, "revoked": True})


def uninstall(call: Call) -> bytes:
    """The app is in the workspace no more, and none of its tokens is good."""
    app = call.token.installation.app
    if call.said.needed("client_id", "client_id_token_mismatch") != app.client_id:
        raise Failed("client_id_token_mismatch")
    if not hmac.compare_digest(call.said.needed("client_secret", "bad_client_secret"), app.client_secret):
        raise Failed("bad_client_secret")
    end(call.registry, call.token.installation, "account_inactive")
    call.workspace.changed("deleted", "installations", app.id, by="api")
    return orjson.dumps({"ok": True})


def end(registry: Registry, found: Installation, refusal: str) -> int:
    """The installation has ended; its bot user stays, deactivated, as in Slack."""
    ended = registry.end(found, refusal)
    found.workspace.update_user(found.bot_user, deleted=True)
    return ended


def _app(registry: Registry, request: Request, said: Arguments, *, public: bool = False) -> App:
    """The app that signs in, by basic authentication or in the form."""
    client, secret = _basic(request.headers.get("authorization"))
    client, secret = client or said.text("client_id"), secret or said.text("client_secret")
    app = registry.apps.get(client or "")
    if app is None:
        raise Failed("invalid_client_id")
    if secret is not None and app.pkce and public:
        raise Failed("internal_error")  # an app is public or has a secret: to both at once Slack has no better word
    if secret is None and app.pkce and (public or said.text("grant_type") == "refresh_token"):
        return app
    if secret is None or not hmac.compare_digest(secret, app.client_secret):
        raise Failed("bad_client_secret")
    return app


def _basic(authorization: str | None) -> tuple[str | None, str | None]:
    scheme, _, rest = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        client, _, secret = base64.b64decode(rest).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        return None, None
    return client, secret


def _granted(registry: Registry, app: App, said: Arguments) -> Fields:
    code = registry.codes.get(said.needed("code", "invalid_code"))
    if code is None or code.app is not app or code.workspace.clock.now() >= code.expires_at:
        raise Failed("invalid_code")
    if code.used:
        raise Failed("code_already_used")
    if code.redirect_uri != said.text("redirect_uri"):
        raise Failed("bad_redirect_uri")
    _check_verifier(code, said)
    code.used = True
    found = registry.install(app, code.workspace, code.scopes)
    public = code.challenge is not None
    bot = registry.token(found) if code.scopes else None
    person = registry.token(found, user=code.user, scopes=code.user_scopes) if code.user_scopes else None
    code.workspace.changed("created", "installations", app.id, by="api")
    first = told(registry, bot or person, public=public)
    authed = {"id": code.user} | (_user_part(registry, person, public=public) if person and bot else {})
    return first | {"authed_user": authed} if bot else first


def _check_verifier(code: Code, said: Arguments) -> None:
    verifier = said.text("code_verifier")
    if code.challenge is None:
        if verifier is not None:
            raise Failed("invalid_code_verifier")
        return
    if verifier is None:
        raise Failed("invalid_code_verifier")
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    if not hmac.compare_digest(digest, code.challenge):
        raise Failed("invalid_code_verifier")


def _refreshed(registry: Registry, app: App, said: Arguments) -> Fields:
    refresh = registry.refreshes.get(said.needed("refresh_token", "invalid_refresh_token"))
    if refresh is None or refresh.used or refresh.token.installation.app is not app:
        raise Failed("invalid_refresh_token")
    _check_refresh(refresh)
    refresh.used = True
    return told(registry, _another(registry, refresh.token), public=refresh.expires_at is not None)


def _check_refresh(refresh: Refresh) -> None:
    now = refresh.token.installation.workspace.clock.now()
    ended = refresh.token.refusal not in (None, "token_expired")
    if ended or not refresh.token.installation.active or (refresh.expires_at is not None and now >= refresh.expires_at):
        raise Failed("invalid_refresh_token")


def _another(registry: Registry, token: Token) -> Token:
    """One more token for the same; the one before it stays good until it ends."""
    user = None if token.bot else token.user
    return registry.token(token.installation, user=user, scopes=token.scopes)


def told(registry: Registry, token: Token | None, *, public: bool = False) -> Fields:
    """A token as `oauth.v2.access` tells of it."""
    if token is None:
        raise Failed("no_scopes")
    found = token.installation
    top: Fields = {"ok": True, "app_id": found.app.id}
    team = {"id": found.workspace.id, "name": found.workspace.name}
    rest: Fields = {"team": team, "enterprise": None, "is_enterprise_install": False}
    if not token.bot:
        return top | {"authed_user": _user_part(registry, token, public=public)} | rest
    bot = {"token_type": "bot", "access_token": token.secret, "bot_user_id": found.bot_user}
    held = {"scope": ",".join(token.scopes)}
    return top | {"authed_user": {"id": found.workspace.owner}} | held | bot | _ending(registry, token, public) | rest


def _user_part(registry: Registry, token: Token, *, public: bool) -> Fields:
    held = {"id": token.user, "scope": ",".join(token.scopes), "access_token": token.secret, "token_type": "user"}
    return held | _ending(registry, token, public)


def _ending(registry: Registry, token: Token, public: bool) -> Fields:  # noqa: FBT001 -- private, named by its caller
    if token.expires_at is None:
        return {}
    refresh = registry.refresh(token, lifetime=PUBLIC_LIFETIME if public else None)
    return {"refresh_token": refresh.secret, "expires_in": LIFETIME}
