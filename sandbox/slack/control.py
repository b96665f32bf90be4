"""The hand on the Slack sandbox's other side: what a test does to a workspace, under `/_sandbox/slack`.

Every call but `workspace` names its workspace as `team`.
"""

import secrets
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson

from sandbox.courier import checked
from sandbox.faults import Fault
from sandbox.http import Request
from sandbox.provider import WrongCall
from sandbox.slack import access, content
from sandbox.slack.apps import BOT_SCOPES, App, Installation, Registry
from sandbox.slack.mishaps import KINDS as FAULTS
from sandbox.slack.webhooks import limited, post
from sandbox.slack.workspace import Workspace
from sandbox.wire import Answer

if TYPE_CHECKING:
    from sandbox.slack.api import Slack

Body = dict[str, Any]


def answer(slack: "Slack", request: Request, path: str) -> Answer:
    """Do what *path* (behind `/_sandbox/slack/`) and the JSON body say."""
    body: Body = orjson.loads(request.body) if request.body else dict(request.params)
    if path == "workspace":
        return _json(_new_workspace(slack, body))
    workspace = slack.workspaces.get(body.pop("team", None) or "")
    if workspace is None:
        raise WrongCall("name the workspace as team")
    app = _app(slack.registry, workspace, body.pop("client_id", None))
    if path == "truth":
        return Answer(200, _truth(slack.registry, workspace, app, body), {"Content-Type": "application/octet-stream"})
    if path in _APPS:
        return _json(_APPS[path](slack.registry, workspace, app, body))
    if path.startswith("webhooks"):
        return _json(_webhooks(slack, workspace, app, path, body))
    if path in _SETUP:  # before anything is made: it may stop the clock
        return _json(_SETUP[path](workspace, body))
    bot = slack.registry.installation(app, workspace).bot_user
    if path in content.CALLS:
        return _json(content.CALLS[path](workspace, bot, body))
    raise WrongCall(f"no such call; there are {', '.join(sorted(['workspace', *_APPS, *_SETUP, *content.CALLS]))}")


def _json(value: Any) -> Answer:
    return Answer(200, orjson.dumps(value), {"Content-Type": "application/json"})


def _app(registry: Registry, workspace: Workspace, client_id: str | None) -> App:
    """The app that is named, or the first that knows the workspace."""
    if client_id is not None:
        return registry.apps[client_id]
    return next(app for app in registry.apps.values() if workspace.id in app.teams)


def _new_workspace(slack: "Slack", body: Body) -> Body:
    """`{name?, seed?, client_id?, app?: {…}}`: a workspace, offered to a new app unless one is named."""
    team = "T0" + secrets.token_hex(5).upper()
    workspace = slack.open(team, body.get("name", "Acme"), seed=body.get("seed"))
    if "client_id" in body:
        app = slack.registry.apps[body["client_id"]]
    else:
        number = secrets.randbelow(10**12)
        app = App(
            client_id=f"{number}.{secrets.randbelow(10**13)}",
            client_secret=secrets.token_hex(16),
            signing_secret=secrets.token_hex(16),
            id="A0" + secrets.token_hex(5).upper(),
            name="Syncline",
        )
        for field, value in _fields(body.get("app", {})).items():
            setattr(app, field, value)
        slack.registry.apps[app.client_id] = app
    app.teams.append(team)
    return {"team": team, "name": workspace.name, "owner": workspace.owner, "app": asdict(app)}


def _webhooks(slack: "Slack", workspace: Workspace, app: App, path: str, body: Body) -> Body:
    """`{url}`: the app's request URL, which is asked whether it is the app's; and what a courier is told."""
    if path == "webhooks/limited":
        limited(slack.courier, app, workspace)
        return {}
    if path != "webhooks":
        return slack.courier.control(workspace.id, path.removeprefix("webhooks/"), body)
    app.request_url = checked(body["url"])
    challenge = {"token": "deprecated", "challenge": secrets.token_hex(24), "type": "url_verification"}
    post(slack.courier, app, workspace.id, "url_verification", challenge)
    return {"url": app.request_url, "signing_secret": app.signing_secret}


def _fields(body: Body) -> Body:
    return body | ({"scopes": tuple(body["scopes"])} if body.get("scopes") else {})


def _change_app(registry: Registry, workspace: Workspace, app: App, body: Body) -> Body:
    """`{distribution?, rotation?, pkce?, redirect_uris?, scopes?, name?, …}`: how the app is set up."""
    del registry, workspace
    for name, value in _fields(body).items():
        getattr(app, name)
        setattr(app, name, value)
    return asdict(app)


def _install(registry: Registry, workspace: Workspace, app: App, body: Body) -> Body:
    """`{scopes?, lasting?, user?, user_scopes?}`: tokens as `oauth.v2.access` gives them, without a browser."""
    found = registry.install(app, workspace, tuple(body.get("scopes") or BOT_SCOPES))
    user, scopes = body.get("user"), tuple(body.get("user_scopes") or ())
    token = registry.token(found, user=user, scopes=scopes, lasting=bool(body.get("lasting")))
    return access.told(registry, token)


def _expire(registry: Registry, workspace: Workspace, app: App, body: Body) -> Body:
    """`{token?}`: the access tokens that end, or one, have ended; refresh tokens are good as before."""
    ended = 0
    for token in _tokens(registry, workspace, app, body):
        if token.expires_at is not None:
            token.expires_at, ended = workspace.clock.now(), ended + 1
    return {"expired": ended}


def _revoke(registry: Registry, workspace: Workspace, app: App, body: Body) -> Body:
    """`{error?, token?}`: the app's tokens, or one, are refused with that word; refresh tokens with them."""
    error = body.get("error", "token_revoked")
    if "token" in body:
        registry.tokens[body["token"]].refusal = error
        return {"revoked": 1}
    return {"revoked": access.end(registry, registry.installation(app, workspace), error)}


def _tokens(registry: Registry, workspace: Workspace, app: App, body: Body) -> list[Any]:
    found: Installation = registry.installation(app, workspace)
    if "token" in body:
        return [registry.tokens[body["token"]]]
    return [token for token in registry.tokens.values() if token.installation is found]


def _shown_tokens(registry: Registry, workspace: Workspace, app: App, body: Body) -> Body:
    """Every token of the app in the workspace, with what it is good for."""
    now = workspace.clock.now()
    rows = [
        {
            "token": token.secret,
            "user": token.user,
            "bot": token.bot,
            "scopes": token.scopes,
            "expires_at": token.expires_at,
            "refusal": token.refusal,
            "good": not token.refusal and (token.expires_at is None or token.expires_at > now),
        }
        for token in _tokens(registry, workspace, app, body)
    ]
    return {"tokens": rows, "installed": registry.installation(app, workspace).active}


def _truth(registry: Registry, workspace: Workspace, app: App, body: Body) -> bytes:
    """`{stream, metadata?}`: every record as a line `LENGTH KEY` and its bytes as the API gives them."""
    viewer = registry.installation(app, workspace).bot_user
    metadata = str(body.get("metadata", "")).lower() == "true"
    records = workspace.truth(body["stream"], viewer, metadata=metadata)
    return b"".join(b"%d %s\n%s" % (len(record), key.encode(), record) for key, record in records)


def _settings(workspace: Workspace, body: Body) -> Body:
    """`{latency?, limits?, minute?, own?: {method: number | null}, skew?, fixed?, joins?, parents?}`: all as it is."""
    workspace.latency = float(body.get("latency", workspace.latency))
    workspace.limits.on = bool(body.get("limits", workspace.limits.on))
    workspace.limits.minute = float(body.get("minute", workspace.limits.minute))
    workspace.limits.own = body.get("own", workspace.limits.own)
    workspace.clock.skew = float(body.get("skew", workspace.clock.skew))
    workspace.clock.fixed = body.get("fixed", workspace.clock.fixed)
    workspace.says_joins = bool(body.get("joins", workspace.says_joins))
    workspace.repeats_parent = bool(body.get("parents", workspace.repeats_parent))
    return {
        "latency": workspace.latency,
        "limits": workspace.limits.on,
        "minute": workspace.limits.minute,
        "own": workspace.limits.own,
        "now": workspace.clock.now(),
        "joins": workspace.says_joins,
        "parents": workspace.repeats_parent,
    }


def _fault(workspace: Workspace, body: Body) -> Body:
    """`{kind, method?, route?, query?, after?, times?, options?}`: something goes wrong with requests to come."""
    if body["kind"] not in FAULTS:
        raise WrongCall(f"no such fault; there are {', '.join(sorted(FAULTS))}")
    workspace.faults.add(Fault(**body))
    return {"waiting": len(workspace.faults.waiting)}


def _lift(workspace: Workspace, body: Body) -> Body:
    """`{kind?}`: no more of these faults."""
    return {"lifted": workspace.faults.lift(body.get("kind"))}


def _faults(workspace: Workspace, body: Body) -> Body:
    """The faults that wait, and how many requests have met each."""
    del body
    waiting = workspace.faults.waiting
    return {"waiting": [{"kind": f.kind, "route": f.route, "times": f.times, "met": f.met} for f in waiting]}


_APPS: dict[str, Callable[[Registry, Workspace, App, Body], Body]] = {
    "app": _change_app,
    "expire": _expire,
    "install": _install,
    "revoke": _revoke,
    "tokens": _shown_tokens,
}
_SETUP: dict[str, Callable[[Workspace, Body], Body]] = {
    "fault": _fault,
    "faults": _faults,
    "lift": _lift,
    "settings": _settings,
}
