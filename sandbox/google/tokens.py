"""The token endpoint, revocation, certificates and userinfo.

https://developers.google.com/identity/protocols/oauth2/web-server#exchange-authorization-code
"""

import base64
import binascii
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

from sandbox.google.accounts import Account
from sandbox.google.clients import LIFETIME, Code, Grant, OAuthClient, Refresh, Registry
from sandbox.google.signing import sign
from sandbox.http import Request
from sandbox.wire import Answer

Accounts = dict[str, Account]
JSON = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-cache, no-store, max-age=0"}
ENDED = "Token has been expired or revoked."


class Denied(Exception):
    """A refusal of the token endpoint, in the words of RFC 6749."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        self.error, self.description, self.status = error, description, status
        super().__init__(description)

    def answer(self) -> Answer:
        said = {"error": self.error, "error_description": self.description}
        return Answer(self.status, orjson.dumps(said, option=orjson.OPT_INDENT_2), dict(JSON))


def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, or of the query, as Google reads them."""
    return dict(request.params) | dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


def account_of(registry: Registry, accounts: Accounts, form: dict[str, str]) -> Account | None:
    """Whose tokens it is about, as far as that can be told."""
    if (code := registry.codes.get(form.get("code", ""))) is not None:
        return accounts.get(code.grant.email)
    if (found := registry.refreshes.get(form.get("refresh_token") or form.get("token", ""))) is not None:
        return accounts.get(found[0].email)
    if (access := registry.accesses.get(form.get("token", ""))) is not None:
        return accounts.get(access.grant.email)
    return None


def exchange(registry: Registry, accounts: Accounts, request: Request, form: dict[str, str]) -> Answer:
    """Tokens for a code or a refresh token."""
    if request.method != "POST":
        return Answer(404, b"", {"Content-Type": "text/html"})
    try:
        client = _client(registry, request, form)
        kind = form.get("grant_type", "")
        if kind == "authorization_code":
            said = _for_code(registry, accounts, client, form)
        elif kind == "refresh_token":
            said = _for_refresh(registry, accounts, client, form)
        else:
            return Denied("unsupported_grant_type", f"Invalid grant_type: {kind}").answer()
    except Denied as denied:
        return denied.answer()
    return Answer(200, orjson.dumps(said, option=orjson.OPT_INDENT_2), dict(JSON))


def told(
    registry: Registry, account: Account, grant: Grant, scopes: tuple[str, ...], *, offline: bool
) -> dict[str, Any]:
    """What the endpoint says with new tokens."""
    now = account.clock.now()
    said: dict[str, Any] = {"access_token": registry.access(grant, scopes, now).secret, "expires_in": LIFETIME - 1}
    if offline:
        refresh = registry.refresh(grant, scopes, now)
        said["refresh_token"] = refresh.secret
        if refresh.expires_at is not None:
            said["refresh_token_expires_in"] = int(refresh.expires_at - now)
    return said | {"scope": " ".join(scopes), "token_type": "Bearer"}


def revoke(registry: Registry, accounts: Accounts, form: dict[str, str]) -> Answer:
    """Everything that the user granted the client is over."""
    account = account_of(registry, accounts, form)
    grant = registry.find(form.get("token", ""), account.clock.now()) if account is not None else None
    if grant is None:
        return Denied("invalid_token", "Token expired or revoked").answer()
    registry.end(grant)
    return Answer(200, b"{}", dict(JSON))


def userinfo(account: Account, scopes: tuple[str, ...]) -> dict[str, Any]:
    """Who the account is, as far as the scopes tell."""
    names = {scope.rpartition("/")[2].removeprefix("userinfo.") for scope in scopes}
    said: dict[str, Any] = {"sub": account.sub}
    if "email" in names:
        said |= {"email": account.email, "email_verified": True}
    if "profile" in names:
        said |= {"name": account.name, "given_name": account.name.split()[0]}
    return said


def _client(registry: Registry, request: Request, form: dict[str, str]) -> OAuthClient:
    known, secret = form.get("client_id"), form.get("client_secret")
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            known, _, secret = base64.b64decode(rest).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Denied("invalid_client", "Unauthorized", 401) from None
        known, secret = unquote(known), unquote(secret)
    if not known:
        raise Denied("invalid_request", "Could not determine client ID from request.")
    client = registry.clients.get(known)
    if client is None:
        raise Denied("invalid_client", "The OAuth client was not found.", 401)
    if secret is None:
        raise Denied("invalid_request", "client_secret is missing.")
    if not secrets.compare_digest(secret.encode(), client.secret.encode()):
        raise Denied("invalid_client", "Unauthorized", 401)
    return client


def _for_code(registry: Registry, accounts: Accounts, client: OAuthClient, form: dict[str, str]) -> dict[str, Any]:
    code = registry.codes.get(form.get("code", ""))
    if not form.get("code"):
        raise Denied("invalid_request", "Missing required parameter: code")
    if code is None:
        raise Denied("invalid_grant", "Malformed auth code.")
    account = accounts[code.grant.email]
    if code.used or code.grant.client is not client or account.clock.now() >= code.expires_at or not code.grant.live:
        raise Denied("invalid_grant", "Bad Request")
    if form.get("redirect_uri") != code.redirect_uri:
        raise Denied("redirect_uri_mismatch", "Bad Request")
    _prove(code, form.get("code_verifier"))
    code.used = True
    said = told(registry, account, code.grant, code.scopes, offline=code.offline)
    if "openid" in code.scopes:
        said["id_token"] = _identity(account, client, code.scopes, said["access_token"], code.nonce)
    return said


def _prove(code: Code, verifier: str | None) -> None:
    """Nothing, if the verifier is the one that the challenge was made of."""
    if code.challenge is None:
        if verifier:
            raise Denied("invalid_grant", "code_verifier or verifier is not needed.")
        return
    if not verifier:
        raise Denied("invalid_grant", "Missing code verifier.")
    made = verifier
    if code.method == "S256":
        made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    if not secrets.compare_digest(made.encode(), code.challenge.encode()):
        raise Denied("invalid_grant", "Invalid code verifier.")


def _for_refresh(registry: Registry, accounts: Accounts, client: OAuthClient, form: dict[str, str]) -> dict[str, Any]:
    if not form.get("refresh_token"):
        raise Denied("invalid_request", "Missing required parameter: refresh_token")
    grant, refresh = _refreshable(registry, accounts, form["refresh_token"])
    if grant.client is not client:
        raise Denied("unauthorized_client", "Unauthorized", 401)
    scopes = refresh.scopes
    if form.get("scope"):
        scopes = tuple(dict.fromkeys(form["scope"].split()))
        if not set(scopes) <= set(refresh.scopes):
            raise Denied("invalid_scope", "Bad Request")
    account = accounts[grant.email]
    said = told(registry, account, grant, scopes, offline=False)
    if "openid" in scopes:
        said["id_token"] = _identity(account, client, scopes, said["access_token"], None)
    return said


def _refreshable(registry: Registry, accounts: Accounts, secret: str) -> tuple[Grant, Refresh]:
    found = registry.refreshes.get(secret)
    if found is None:
        raise Denied("invalid_grant", "Bad Request")
    grant, refresh = found
    if refresh.dead or (refresh.expires_at is not None and accounts[grant.email].clock.now() >= refresh.expires_at):
        raise Denied("invalid_grant", ENDED)
    return grant, refresh


def _identity(account: Account, client: OAuthClient, scopes: tuple[str, ...], access: str, nonce: str | None) -> str:
    now = int(account.clock.now())
    half = hashlib.sha256(access.encode()).digest()[:16]
    claims = {
        "azp": client.id,
        "aud": client.id,
        "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
        "iat": now,
        "exp": now + LIFETIME,
    }
    return sign(claims | userinfo(account, scopes) | ({"nonce": nonce} if nonce else {}))
