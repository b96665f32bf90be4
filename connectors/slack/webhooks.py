"""Slack's Events API: signed deliveries, and whose they are.

https://docs.slack.dev/apis/events-api, https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from collections.abc import Sequence

from connectors.errors import Misconfigured
from connectors.signatures import check_signature, secrets_in, signed_at
from connectors.slack.events import meaning_of
from connectors.slack.members import Members, cut, elements, inner, plain
from connectors.slack.settings import TITLE, load
from connectors.webhooks import Concerned, Delivery, Event, Meaning, Stored, Webhooks, name_in

_TIME, _SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"
_NO_EVENT = "Slack signed this, but it is not an event of a workspace."
_DROPPED = "app_rate_limited"
"""Slack sends this instead of events when there are more than 30,000 an hour: what it left out is read from history."""


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
        stamp = delivery.headers.get(_TIME, "")
        signed_at(stamp, delivery.at)
        scheme, _, signature = delivery.headers.get(_SIGNATURE, "").partition("=")
        signatures = [signature] if scheme == "v0" else []
        check_signature(b"v0:%b:%b" % (stamp.encode(), delivery.body), secrets, signatures)
        return _event(delivery.body)

    def meaning(self, event: Stored) -> Meaning:
        if event.type == _DROPPED:
            return Meaning(subjects=[""])
        return meaning_of(event.body)


def _event(body: bytes) -> Event:
    found = cut(body)
    said, challenge = plain(found, "type"), plain(found, "challenge")
    if said == "url_verification" and isinstance(challenge, str):
        return Event(challenge=challenge.encode("utf-8", "replace"))
    accounts = [Concerned(team) for team in _teams(found)]
    if said == _DROPPED and accounts:
        return Event(type=_DROPPED, accounts=accounts)
    event = inner(found, "event")
    if said != "event_callback" or not event or not accounts:
        return Event(malformed=_NO_EVENT)
    words = [word for name in ("type", "subtype") if (word := name_in(plain(event, name)))]
    return Event(name_in(plain(found, "event_id")), ".".join(words) or None, accounts)


def _teams(found: Members) -> list[str]:
    """Every workspace whose installation may see the event: one of a shared channel is delivered once for all."""
    named = [plain(found, "team_id"), plain(found, "context_team_id")]
    for one in map(cut, elements(found, "authorizations")):
        named.append(plain(one, "team_id"))
        if plain(one, "is_enterprise_install") is True:
            named.append(plain(one, "enterprise_id"))
    return list(dict.fromkeys(team for team in map(name_in, named) if team))
