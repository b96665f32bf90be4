"""What Slack's refusals mean. They come as `{"ok": false, "error": "..."}` with status 200.

https://docs.slack.dev/reference/methods lists the words of each method.
"""

from connectors.errors import (
    AccessExpired,
    Broken,
    ConnectorError,
    Misconfigured,
    Missing,
    RateLimited,
    Reconnect,
    Refused,
)
from connectors.faults import Fault
from connectors.slack.settings import TITLE

_LIMITED = frozenset({"ratelimited", "rate_limited"})
_ENDED = frozenset({
    "account_inactive",
    "app_uninstalled",
    "invalid_auth",
    "not_authed",
    "org_login_required",
    "token_revoked",
    "two_factor_setup_required",
    "user_removed_from_team",
})  # fmt: skip
_TROUBLE = frozenset({
    "fatal_error",
    "internal_error",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
})  # fmt: skip
_UNREACHABLE = frozenset({
    "access_denied",
    "channel_not_found",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "method_not_supported_for_channel_type",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_in_channel",
    "restricted_action",
    "team_access_not_granted",
    "user_not_visible",
})  # fmt: skip
_MISSING = {
    "invalid_cursor": "cursor",
    "invalid_ts_latest": "ts",
    "invalid_ts_oldest": "ts",
    "message_not_found": "ts",
    "thread_not_found": "ts",
    "user_not_found": "user",
}
_OUR_APP = frozenset({
    "bad_client_secret",
    "bad_redirect_uri",
    "invalid_client_id",
    "invalid_grant_type",
    "oauth_authorization_url_mismatch",
})  # fmt: skip

_RECONNECT = (
    "{provider} asked us to reconnect: access was revoked, or the app was removed from the workspace. "
    "Your messages are kept: connect the workspace again to go on."
)
_EXPIRED = "{provider} asked us to reconnect: access has expired. Your messages are kept: connect the workspace again."
_SCOPE = (
    "{provider} was connected without permission to read this. What was read before is kept: "
    "connect the workspace again and allow it."
)
_LEFT = (
    "The app is not in this {provider} channel, or no longer. Its messages are kept: invite the app to the channel "
    "to go on."
)
_NO_RIGHT = "{provider} does not let the app read this. What was read before is kept."
_WRONG_APP = (
    "{provider} does not accept this app: SYNCLINE_SLACK_CLIENT_ID or SYNCLINE_SLACK_CLIENT_SECRET is wrong, or the "
    "redirect address of SYNCLINE_PUBLIC_URL is not registered for it."
)
_SENTENCES = {
    "channel_not_found": _LEFT,
    "missing_scope": _SCOPE,
    "not_allowed_token_type": _SCOPE,
    "not_in_channel": _LEFT,
}


def meaning(word: object) -> ConnectorError | Fault:
    """The reaction to Slack's word for why it refuses; to one that we do not know, that its answer makes no sense."""
    word = word if isinstance(word, str) else ""
    if word in _UNREACHABLE:
        return Refused(TITLE, _SENTENCES.get(word, _NO_RIGHT), code=word)
    if word in _MISSING:
        return Missing(TITLE, _MISSING[word])
    if word in _TROUBLE:
        return Fault("server_error")
    return _of_the_whole(word)


def _of_the_whole(word: str) -> ConnectorError:
    """What is not about the one thing that was asked for."""
    if word in _LIMITED:
        return RateLimited(TITLE)
    if word == "token_expired":
        return AccessExpired(TITLE, _EXPIRED)
    if word in _ENDED:
        return Reconnect(TITLE, _RECONNECT)
    return Misconfigured(TITLE, _WRONG_APP) if word in _OUR_APP else Broken(TITLE)
