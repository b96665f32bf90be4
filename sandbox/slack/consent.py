"""`/oauth/v2/authorize`: the page on which somebody lets an app into a workspace, or does not.

https://docs.slack.dev/authentication/installing-with-oauth
"""

import secrets
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from sandbox.http import Request
from sandbox.slack.apps import CODE_LIFETIME, App, Code, Registry
from sandbox.slack.workspace import Workspace
from sandbox.wire import Answer

Workspaces = dict[str, Workspace]
LOOPBACK = ("127.0.0.1", "localhost")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 10vh auto; padding: 0 1rem }}
button {{ font: inherit; padding: .5rem 1.5rem; margin-right: .5rem }}
</style></head><body>
<h1>{title}</h1>
{body}
<p><small>This is the sandbox: no real Slack is asked.</small></p>
</body></html>
"""
_FORM = """<form method="post" action="/oauth/v2/authorize">
{hidden}
<p><label>Workspace <select name="team">{teams}</select></label></p>
<p>The app asks for:</p>
<ul>{scopes}</ul>
<p><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Cancel</button></p>
</form>"""


class Unfit(Exception):
    """Slack shows its own page and sends nobody back; the text is what stands there."""


def answer(registry: Registry, workspaces: Workspaces, request: Request) -> tuple[Answer, str | None]:
    """The page, or after a decision the way back to the app; and the workspace that it is about."""
    posted = request.method == "POST"
    asked = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)) if posted else {}
    asked = dict(request.params) | asked
    try:
        app = _app(registry, asked)
        redirect = _redirect(app, asked.get("redirect_uri"))
        workspace = _workspace(app, workspaces, asked)
    except Unfit as unfit:
        return _page("Something went wrong when authorizing this app", f"<p>{escape(str(unfit))}</p>", status=400), None
    error = _error(app, asked)
    if error is None and not posted:
        title = f"{app.name} is requesting permission to access a Slack workspace"
        return _page(title, _form(app, workspaces, asked)), workspace.id
    if error is None and asked.get("decision") != "allow":
        error = "access_denied"
    said = {"error": error} if error else {"code": _code(registry, app, workspace, asked).secret}
    said |= {"state": asked["state"]} if "state" in asked else {}
    joint = "&" if "?" in redirect else "?"
    return Answer(302, b"", {"Location": f"{redirect}{joint}{urlencode(said)}"}), workspace.id


def _app(registry: Registry, asked: dict[str, str]) -> App:
    app = registry.apps.get(asked.get("client_id", ""))
    if app is None:
        raise Unfit("Invalid client_id parameter")
    return app


def _redirect(app: App, wanted: str | None) -> str:
    """Where the browser goes back to, if it is registered or lies below what is."""
    if wanted is None:
        if len(app.redirect_uris) == 1:
            return app.redirect_uris[0]
        raise Unfit("redirect_uri did not match any configured URIs. Passed URI: ")
    if any(_fits(registered, wanted) for registered in app.redirect_uris):
        return wanted
    raise Unfit(f"redirect_uri did not match any configured URIs. Passed URI: {wanted}")


def _fits(registered: str, wanted: str) -> bool:
    have, want = urlsplit(registered), urlsplit(wanted)
    any_port = have.hostname in LOOPBACK and have.port is None
    if have.scheme != want.scheme or have.hostname != want.hostname or (have.port != want.port and not any_port):
        return False
    below = have.path.rstrip("/")
    return want.path == have.path or not below or want.path.startswith(f"{below}/")


def _error(app: App, asked: dict[str, str]) -> str | None:
    """What the app is told about its request instead of a code."""
    scopes = _names(asked.get("scope")) + _names(asked.get("user_scope"))
    if not scopes:
        return "invalid_scope_requested"
    if app.scopes is not None and set(_names(asked.get("scope"))) - set(app.scopes):
        return "invalid_scope"
    if "code_challenge" in asked and not app.pkce:
        return "pkce_not_allowed"
    if "code_challenge" in asked and asked.get("code_challenge_method") != "S256":
        return "invalid_code_challenge_method"
    return None


def _workspace(app: App, workspaces: Workspaces, asked: dict[str, str]) -> Workspace:
    team = asked.get("team") or next(iter(app.teams), "")
    if team not in workspaces:
        raise Unfit("You are not signed in to that workspace")
    return workspaces[team]


def _code(registry: Registry, app: App, workspace: Workspace, asked: dict[str, str]) -> Code:
    secret = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**13)}.{secrets.token_hex(32)}"
    registry.codes[secret] = code = Code(
        secret,
        app,
        workspace,
        user=asked.get("user") or workspace.owner,
        scopes=_names(asked.get("granted_scope", asked.get("scope"))),
        user_scopes=_names(asked.get("user_scope")),
        redirect_uri=asked.get("redirect_uri"),
        challenge=asked.get("code_challenge"),
        expires_at=workspace.clock.now() + CODE_LIFETIME,
    )
    return code


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in (text or "").replace(" ", ",").split(",") if name))


def _form(app: App, workspaces: Workspaces, asked: dict[str, str]) -> str:
    chosen = asked.get("team") or next(iter(app.teams), "")
    kept = {name: value for name, value in asked.items() if name != "team"}
    hidden = "\n".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in kept.items())
    teams = "".join(
        f'<option value="{escape(team)}"{" selected" * (team == chosen)}>{escape(workspaces[team].name)}</option>'
        for team in dict.fromkeys((*app.teams, chosen))
        if team in workspaces
    )
    scopes = "".join(f"<li>{escape(n)}</li>" for n in _names(asked.get("scope")) + _names(asked.get("user_scope")))
    return _FORM.format(hidden=hidden, teams=teams, scopes=scopes)


def _page(title: str, body: str, status: int = 200) -> Answer:
    html = _PAGE.format(title=escape(title), body=body)
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(status, html.encode(), headers)
