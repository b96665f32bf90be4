"""The Web API's methods, by name."""

from collections.abc import Callable, Mapping

import orjson

from sandbox.slack import access, chat, lists, reading
from sandbox.slack.calls import Call

Method = Callable[[Call], bytes]
SCOPES = {
    "chat.delete": "chat:write",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "conversations.history": "channels:history,groups:history,im:history,mpim:history",
    "conversations.info": "channels:read,groups:read,im:read,mpim:read",
    "conversations.join": "channels:join",
    "conversations.list": "channels:read,groups:read,im:read,mpim:read",
    "conversations.members": "channels:read,groups:read,im:read,mpim:read",
    "conversations.replies": "channels:history,groups:history,im:history,mpim:history",
    "team.info": "team:read",
    "users.info": "users:read",
    "users.list": "users:read",
}
"""What each method accepts, for the header that says so."""


def auth_test(call: Call) -> bytes:
    """Who the token speaks for, and where."""
    workspace, token = call.workspace, call.token
    answer = {
        "ok": True,
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.name,
        "user": workspace.users[token.user]["name"],
        "team_id": workspace.id,
        "user_id": token.user,
    }
    answer |= {"bot_id": token.installation.bot_id} if token.bot else {}
    answer |= {"is_enterprise_install": False}
    if token.expires_at is not None:
        answer["expires_in"] = max(0, int(token.expires_at - workspace.clock.now()))
    return orjson.dumps(answer)


def team_info(call: Call) -> bytes:
    """The workspace itself."""
    call.scoped("team:read")
    workspace = call.workspace
    team = {
        "id": workspace.id,
        "name": workspace.name,
        "url": f"https://{workspace.domain}.slack.com/",
        "domain": workspace.domain,
        "email_domain": "",
        "icon": {"image_default": True},
        "avatar_base_url": "https://ca.slack-edge.com/",
        "is_verified": False,
    }
    return orjson.dumps({"ok": True, "team": team})


METHODS: Mapping[str, Method] = {
    "apps.uninstall": access.uninstall,
    "auth.revoke": access.revoke,
    "auth.test": auth_test,
    "chat.delete": chat.delete,
    "chat.postMessage": chat.post,
    "chat.update": chat.update,
    "conversations.history": reading.history,
    "conversations.info": lists.info,
    "conversations.join": lists.join,
    "conversations.list": lists.conversations,
    "conversations.members": lists.members,
    "conversations.replies": reading.replies,
    "team.info": team_info,
    "users.info": lists.user,
    "users.list": lists.users,
}
