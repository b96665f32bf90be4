"""`/o/oauth2/v2/auth`: the page on which a user lets a client at an account, or does not.

https://developers.google.com/identity/protocols/oauth2/web-server#creatingclient
"""

import secrets
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, urlencode

from sandbox.google.accounts import Account
from sandbox.google.clients import CODE_LIFETIME, Code, OAuthClient, Registry
from sandbox.google.settings import AUTHORIZE
from sandbox.http import Request
from sandbox.wire import Answer

Accounts = dict[str, Account]
_OWN = ("decision", "granted", "account")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 10vh auto; padding: 0 1rem }}
button {{ font: inherit; padding: .5rem 1.5rem; margin-right: .5rem }}
</style></head><body>
<h1>{title}</h1>
{body}
<p><small>This is the sandbox: no real Google is asked.</small></p>
</body></html>
"""
_FORM = """<form method="post" action="{action}">
{hidden}
<p><label>Account <select name="account">{accounts}</select></label></p>
<p>Select what {name} can access:</p>
{scopes}
<p><button name="decision" value="allow">Continue</button> <button name="decision" value="deny">Cancel</button></p>
</form>"""


class Unfit(Exception):
    """Google shows its own page and sends nobody back."""

    def __init__(self, error: str, why: str, status: int = 400) -> None:
        self.error, self.status = error, status
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that is in order."""

    client: OAuthClient
    redirect_uri: str
    scopes: tuple[str, ...]
    params: dict[str, str]

    @property
    def prompts(self) -> list[str]:
        return self.params.get("prompt", "").split()

    @property
    def challenge(self) -> str | None:
        return self.params.get("code_challenge")


def answer(registry: Registry, accounts: Accounts, request: Request) -> Answer:
    """The page, or after a decision the way back to the client."""
    form = parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True) if request.method == "POST" else []
    params = dict(request.params) | {name: value for name, value in form if name != "granted"}
    try:
        asked = _asked(registry, params)
        accounts = {email: accounts[email] for email in asked.client.accounts} or accounts
        account = _account(accounts, params)
    except Unfit as unfit:
        body = f"<p>{escape(str(unfit))}</p><p>Error {unfit.status}: {escape(unfit.error)}</p>"
        return _page("Access blocked: this request is invalid", body, unfit.status)
    if request.method != "POST":
        if (granted := _already(registry, asked, account)) is not None:
            return _back(asked, code=_code(registry, asked, account, granted).secret, scope=" ".join(granted))
        if "none" in asked.prompts:
            return _back(asked, error="interaction_required")
        return _page(f"{asked.client.name} wants access to your Google Account", _form(accounts, account, asked))
    ticked = {value for name, value in form if name == "granted"}
    granted = tuple(scope for scope in asked.scopes if scope in ticked)
    if params.get("decision") != "allow" or not granted:
        return _back(asked, error="access_denied")
    code = _code(registry, asked, account, granted)
    return _back(asked, code=code.secret, scope=" ".join(code.scopes))


def _asked(registry: Registry, params: dict[str, str]) -> Asked:
    client = registry.clients.get(params.get("client_id", ""))
    if not params.get("client_id"):
        raise Unfit("invalid_request", "Missing required parameter: client_id")
    if client is None:
        raise Unfit("invalid_client", "The OAuth client was not found.", 401)
    redirect = params.get("redirect_uri")
    if not redirect:
        raise Unfit("invalid_request", "Missing required parameter: redirect_uri")
    if not client.takes(redirect):
        raise Unfit("redirect_uri_mismatch", f"The redirect URI in the request, {redirect}, does not match the ones.")
    if params.get("response_type") != "code":
        raise Unfit("unsupported_response_type", f"Invalid response_type: {params.get('response_type', '')}")
    scopes = tuple(dict.fromkeys(params.get("scope", "").split()))
    if not scopes:
        raise Unfit("invalid_request", "Missing required parameter: scope")
    unknown = [
        scope for scope in scopes if not (scope.startswith("https://") or scope in ("openid", "email", "profile"))
    ]
    if unknown:
        raise Unfit("invalid_scope", f"Some requested scopes were invalid. {{invalid={unknown}}}")
    _check_pkce(params)
    return Asked(client, redirect, scopes, {name: value for name, value in params.items() if name not in _OWN})


def _check_pkce(params: dict[str, str]) -> None:
    if "code_challenge" not in params:
        if "code_challenge_method" in params:
            raise Unfit("invalid_request", "code_challenge is required with code_challenge_method.")
        return
    if params.get("code_challenge_method", "plain") not in ("plain", "S256"):
        raise Unfit("invalid_request", f"Invalid code challenge method: {params['code_challenge_method']}")
    if not 43 <= len(params["code_challenge"]) <= 128:  # noqa: PLR2004 - RFC 7636, 4.2
        raise Unfit("invalid_request", "code_challenge must be 43 to 128 characters long.")


def _account(accounts: Accounts, params: dict[str, str]) -> Account:
    """Who is signed in: whoever was chosen or hinted at, else the first."""
    wanted = params.get("account") or params.get("login_hint")
    if wanted is None:
        return next(iter(accounts.values()))
    if wanted not in accounts:
        raise Unfit("invalid_request", f"Couldn't find the Google Account {wanted}")
    return accounts[wanted]


def _already(registry: Registry, asked: Asked, account: Account) -> tuple[str, ...] | None:
    """The scopes, if they all were granted before and nobody wants the user to be asked again."""
    grant = registry.grant(account.email, asked.client)
    again = {"consent", "select_account"} & set(asked.prompts)
    return asked.scopes if grant is not None and not again and set(asked.scopes) <= grant.scopes else None


def _code(registry: Registry, asked: Asked, account: Account, granted: tuple[str, ...]) -> Code:
    first = registry.grant(account.email, asked.client) is None
    grant = registry.open_grant(account.email, asked.client, granted)
    if asked.params.get("include_granted_scopes") == "true":
        granted = tuple(dict.fromkeys((*granted, *sorted(grant.scopes))))
    secret = f"4/0{secrets.token_urlsafe(54)}"
    code = registry.codes[secret] = Code(
        secret,
        grant,
        granted,
        asked.redirect_uri,
        account.clock.now() + CODE_LIFETIME,
        # A refresh token comes with the first consent, and again only if the user is made to consent again.
        offline=asked.params.get("access_type") == "offline" and (first or "consent" in asked.prompts),
        challenge=asked.challenge,
        method=asked.params.get("code_challenge_method", "plain"),
        nonce=asked.params.get("nonce"),
    )
    return code


def _back(asked: Asked, **said: str) -> Answer:
    state = {"state": asked.params["state"]} if "state" in asked.params else {}
    query = urlencode(state | said)
    mark = "&" if "?" in asked.redirect_uri else "?"
    return Answer(302, b"", {"Location": f"{asked.redirect_uri}{mark}{query}", "Cache-Control": "no-store"})


def _form(accounts: Accounts, account: Account, asked: Asked) -> str:
    hidden = "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.params.items()
    )
    options = "".join(
        f'<option value="{escape(email)}"{" selected" * (email == account.email)}>{escape(email)}</option>'
        for email in accounts
    )
    scopes = "\n".join(
        f'<p><label><input type="checkbox" name="granted" value="{escape(scope)}" checked> {escape(scope)}</label></p>'
        for scope in asked.scopes
    )
    return _FORM.format(
        action=AUTHORIZE, hidden=hidden, accounts=options, scopes=scopes, name=escape(asked.client.name)
    )


def _page(title: str, body: str, status: int = 200) -> Answer:
    html = _PAGE.format(title=escape(title), body=body)
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(status, html.encode(), headers)
