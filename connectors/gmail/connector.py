"""Gmail as a connector."""

from collections.abc import AsyncIterator, Mapping

from connectors.base import Account, Change, Cursor
from connectors.client import Client
from connectors.gmail import api, changes
from connectors.gmail.actions import ACTIONS, COMPOSE
from connectors.gmail.api import READ
from connectors.gmail.labels import Labels
from connectors.gmail.messages import Messages
from connectors.gmail.push import GmailPush
from connectors.gmail.settings import TITLE
from connectors.gmail.webhooks import GmailWebhooks
from connectors.google_oauth import GoogleConnector


class Gmail(GoogleConnector):
    name = api.NAME
    title = TITLE
    mark = "@"
    api = api.API
    streams = (Messages(), Labels())
    asked_scopes = (READ, COMPOSE)
    actions = ACTIONS
    webhooks = GmailWebhooks()
    push = GmailPush()
    reads = (
        "All messages, with their text, senders and recipients; of attachments the names and sizes",
        "The labels of the mailbox",
    )

    async def identify(self, client: Client) -> Account:
        """The mailbox's own address."""
        address = (await api.profile(client)).emailAddress
        return Account(address, address)

    async def change_cursor(self, client: Client) -> Cursor:
        return await changes.newest(client)

    def changes(self, client: Client, cursors: Mapping[str, Cursor]) -> AsyncIterator[Change]:
        return changes.changes(client, cursors)
