"""Watches of a mailbox: Gmail publishes its changes to a Pub/Sub topic, for seven days at most.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users/watch
"""

from collections.abc import Mapping, Sequence

from connectors.base import Cursor
from connectors.client import Client
from connectors.errors import Broken, Misconfigured, Missing, Refused
from connectors.gmail.api import API
from connectors.gmail.settings import TITLE, load
from connectors.google_errors import AlreadyThere, Invalid
from connectors.google_push import made_for
from connectors.push import Channel, Made, Push

_TOPIC = (
    "{provider} may not publish to the topic that SYNCLINE_GMAIL_PUBSUB_TOPIC names: correct it, and let "
    "gmail-api-push@system.gserviceaccount.com publish to it. Until then the mailbox is polled."
)


_ELSEWHERE = "{provider} pushes this mailbox to another topic and does not let go of it. Until it does, it is polled."


class GmailPush(Push):
    """One watch for a mailbox; asking again renews it."""

    lifetime_seconds = 7 * 86_400.0
    renew_seconds = 6 * 86_400.0
    replaces = True

    def missing(self, address: str) -> str | None:
        del address
        settings = load()
        names = {"PUBSUB_TOPIC": settings.pubsub_topic, "PUSH_SERVICE_ACCOUNT": settings.push_service_account}
        lacking = [f"SYNCLINE_GMAIL_{name}" for name, value in names.items() if not value]
        return f"{' and '.join(lacking)} not set: the mailbox is polled." if lacking else None

    def subjects(self, cursors: Mapping[str, Cursor]) -> Sequence[str]:
        return [""] if cursors else []

    def streams(self, subject: str) -> Sequence[str]:
        del subject
        return ["messages", "labels"]

    async def watch(self, client: Client, channel: Channel) -> Made:
        try:
            return await self._ask(client)
        except AlreadyThere:  # a watch for the topic that was set before
            await self.stop(client, channel.id, None)
        try:
            return await self._ask(client)
        except AlreadyThere:
            raise Broken(TITLE, _ELSEWHERE) from None

    async def _ask(self, client: Client) -> Made:
        request = API.request(client, "users.watch", userId="me", body={"topicName": load().pubsub_topic})
        try:
            return await client.send(request, made_for(self.lifetime_seconds), repeatable=True)
        except (Invalid, Missing, Refused):
            raise Misconfigured(TITLE, _TOPIC) from None

    async def stop(self, client: Client, channel_id: str, resource_id: str | None) -> None:
        del channel_id, resource_id
        try:
            await client.send(API.request(client, "users.stop", userId="me"), lambda _: None, repeatable=True)
        except Missing:
            return
