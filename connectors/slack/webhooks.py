"""Slack's Events API: signed deliveries, and whose they are.

https://docs.slack.dev/apis/events-api, https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from connectors.base import Change, Cursor
from connectors.client import Client
from connectors.errors import Misconfigured
from connectors.signatures import check_signature, secrets_in, signed_at
from connectors.slack import changes
from connectors.slack.events import meaning_of
from connectors.slack.settings import TITLE, load
from connectors.webhooks import Concerned, Delivery, Event, Meaning, Stored, Webhooks

_TIME, _SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"
_NO_EVENT = "Slack signed this, but it is not an event of a workspace."
_DROPPED = "app_rate_limited"
"""Slack sends this instead of events when there are more than 30,000 an hour: what it left out is read from history."""


class _Envelope(msgspec.Struct):
    type: Any = None
    challenge: Any = None
    team_id: Any = None
    context_team_id: Any = None
    event_id: Any = None
    event: Any = None
    authorizations: Any = None


_decode = msgspec.json.Decoder(_Envelope).decode


class SlackWebhooks(Webhooks):
    """One address for all workspaces: each event says which of them it is about."""

    async def verify(self, delivery: Delivery, secrets: Sequence[str] | None, *, address: str) -> Event:
        del address
        if secrets is None:
            secrets = secrets_in(load().signing_secret.get_secret_value())
        if not secrets:
            raise Misconfigured(
                TITLE,
                "SYNCLINE_SLACK_SIGNING_SECRET is not set: copy it from Basic Information on the app's page at "
                "api.slack.com/apps.",
            )
        at = signed_at(delivery.headers.get(_TIME), delivery.at)
        scheme, _, signature = delivery.headers.get(_SIGNATURE, "").partition("=")
        signatures = [signature] if scheme == "v0" else []
        check_signature(b"v0:%d:%b" % (at, delivery.body), secrets, signatures)
        return _event(delivery.body)

    def meaning(self, event: Stored) -> Meaning:
        if event.type == _DROPPED:
            return Meaning(subjects=[""])
        return meaning_of(event.body)

    def changes(self, client: Client, subjects: Sequence[str], cursors: Mapping[str, Cursor]) -> AsyncIterator[Change]:
        """Events were left out: everything that changed since the last look."""
        del subjects
        return changes.changes(client, cursors)


def _event(body: bytes) -> Event:
    try:
        found = _decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Event(malformed=_NO_EVENT)
    if found.type == "url_verification" and isinstance(found.challenge, str):
        return Event(challenge=found.challenge.encode("utf-8", "replace"))
    accounts = [Concerned(team) for team in _teams(found)]
    if found.type == _DROPPED and accounts:
        return Event(type=_DROPPED, accounts=accounts)
    if found.type != "event_callback" or not isinstance(found.event, dict) or not accounts:
        return Event(malformed=_NO_EVENT)
    kind, subtype = found.event.get("type"), found.event.get("subtype")
    words = [word for word in (kind, subtype) if isinstance(word, str)]
    event_id = found.event_id if isinstance(found.event_id, str) and found.event_id else None
    return Event(event_id, ".".join(words) or None, accounts)


def _teams(found: _Envelope) -> list[str]:
    """Every workspace whose installation may see the event: one of a shared channel is delivered once for all."""
    given = found.authorizations if isinstance(found.authorizations, list) else []
    named = [found.team_id, found.context_team_id]
    for one in given:
        if isinstance(one, dict):
            named += [
                one.get("team_id"),
                one.get("enterprise_id") if one.get("is_enterprise_install") is True else None,
            ]
    return list(dict.fromkeys(team for team in named if isinstance(team, str) and team))
