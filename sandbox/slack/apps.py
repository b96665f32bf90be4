"""Apps, the workspaces they are installed in, and the tokens they hold.

https://docs.slack.dev/authentication/using-token-rotation
"""

import secrets
from dataclasses import dataclass, field

from sandbox.slack.workspace import Workspace

LIFETIME = 12 * 3600
CODE_LIFETIME = 600
BOT_SCOPES = (
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "groups:history",
    "groups:read",
    "team:read",
    "users:read",
    "users:read.email",
)


@dataclass(slots=True)
class App:
    """An app as it is set up at api.slack.com/apps."""

    client_id: str
    client_secret: str
    signing_secret: str
    id: str
    name: str
    redirect_uris: list[str] = field(default_factory=lambda: ["http://127.0.0.1", "http://localhost"])
    """A registered address without a port takes any port of this machine."""
    scopes: tuple[str, ...] | None = None
    """The bot scopes it may ask for; None takes whichever."""
    distribution: str = "internal"
    """`internal`, `marketplace` or `unlisted`: the last has the strict limits."""
    rotation: bool = True
    """Whether its tokens end after twelve hours."""
    pkce: bool = False
    request_url: str | None = None
    """Where its events go."""
    teams: list[str] = field(default_factory=list)
    """The workspaces that the consent page offers, the preselected one first."""

    @property
    def strict(self) -> bool:
        return self.distribution == "unlisted"


@dataclass(slots=True)
class Installation:
    """An app in a workspace, with its bot user."""

    app: App
    workspace: Workspace
    bot_user: str
    bot_id: str
    scopes: tuple[str, ...] = ()
    active: bool = True


@dataclass(slots=True)
class Token:
    """An access token and what it opens."""

    secret: str
    installation: Installation
    user: str
    """Whom it speaks for: the bot's user, or a person."""
    bot: bool
    scopes: tuple[str, ...]
    expires_at: float | None = None
    refusal: str | None = None
    """Slack's word once it is no longer good: `token_revoked`, `account_inactive`, …"""


@dataclass(slots=True)
class Refresh:
    """A refresh token. It serves once."""

    secret: str
    token: Token
    used: bool = False
    expires_at: float | None = None
    """Those of public clients end after thirty days."""


@dataclass(slots=True)
class Code:
    """What the browser brings back from the consent page."""

    secret: str
    app: App
    workspace: Workspace
    user: str
    scopes: tuple[str, ...]
    user_scopes: tuple[str, ...]
    redirect_uri: str | None
    challenge: str | None
    expires_at: float
    used: bool = False


class Registry:
    """All apps, installations and tokens."""

    def __init__(self) -> None:
        self.apps: dict[str, App] = {}
        self.installations: dict[tuple[str, str], Installation] = {}
        self.tokens: dict[str, Token] = {}
        self.refreshes: dict[str, Refresh] = {}
        self.codes: dict[str, Code] = {}

    def installation(self, app: App, workspace: Workspace) -> Installation:
        """The app in that workspace; before it is installed, what it will be there."""
        key = (app.client_id, workspace.id)
        if key not in self.installations:
            bot_id = workspace.new_id("B")
            profile = {"api_app_id": app.id, "bot_id": bot_id, "always_active": False}
            name = app.name.lower().replace(" ", "_")
            bot = workspace.add_user(name, by="api", is_bot=True, real_name=app.name, profile=profile)
            self.installations[key] = Installation(app, workspace, bot["id"], bot_id, active=False)
        return self.installations[key]

    def install(self, app: App, workspace: Workspace, scopes: tuple[str, ...]) -> Installation:
        """The app is in the workspace; its scopes only ever grow while it is, as in Slack."""
        found = self.installation(app, workspace)
        held = found.scopes if found.active else ()
        found.active = True
        found.scopes = tuple(dict.fromkeys((*held, *scopes)))
        if workspace.users[found.bot_user]["deleted"]:
            workspace.update_user(found.bot_user, by="api", deleted=False)
        return found

    def token(
        self, found: Installation, *, user: str | None = None, scopes: tuple[str, ...] = (), lasting: bool = False
    ) -> Token:
        """A token for the bot, or for a person; without rotation the one that there is already."""
        rotates = found.app.rotation and not lasting
        bot = user is None
        given = found.scopes if bot else scopes
        holder = user or found.bot_user
        if not rotates:
            for known in self.tokens.values():
                if known.installation is found and known.user == holder and not (known.refusal or known.expires_at):
                    known.scopes = given
                    return known
        secret = _secret("xoxb-" if bot else "xoxp-", rotates=rotates)
        expires_at = found.workspace.clock.now() + LIFETIME if rotates else None
        token = self.tokens[secret] = Token(secret, found, holder, bot, given, expires_at)
        return token

    def refresh(self, token: Token, *, lifetime: float | None = None) -> Refresh:
        """A refresh token that goes with *token*."""
        secret = f"xoxe-1-{secrets.token_hex(40)}"
        expires_at = token.installation.workspace.clock.now() + lifetime if lifetime else None
        refresh = self.refreshes[secret] = Refresh(secret, token, expires_at=expires_at)
        return refresh

    def end(self, found: Installation, refusal: str) -> int:
        """No token of the installation is good any more; says how many there were."""
        ended = 0
        for token in self.tokens.values():
            if token.installation is found and not token.refusal:
                token.refusal, ended = refusal, ended + 1
        found.active = False
        return ended


def _secret(prefix: str, *, rotates: bool) -> str:
    return f"xoxe.{prefix}1-{secrets.token_hex(40)}" if rotates else prefix + secrets.token_hex(24)
