"""Stripe as a connector."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager

from connectors import spans
from connectors.answers import Answer, UnparsableError
from connectors.base import Account, Change, Connector, Cursor
from connectors.client import Client
from connectors.session import Session
from connectors.stripe import api, events
from connectors.stripe.actions import ACTIONS
from connectors.stripe.settings import TITLE
from connectors.stripe.streams import STREAMS
from connectors.stripe.webhooks import StripeWebhooks


class Stripe(Connector):
    name = api.NAME
    title = TITLE
    mark = "$"
    streams = STREAMS
    credential_fields = ("api_key", "webhook_secret")
    actions = ACTIONS
    webhooks = StripeWebhooks()

    def open(self, session: Session) -> AbstractAsyncContextManager[Client]:
        return api.open_client(session)

    async def identify(self, client: Client) -> Account:
        account_id, title = await client.get("/v1/account", _parse_account)
        return Account(account_id, title, api.mode_of(client.session.credentials["api_key"]))

    async def change_cursor(self, client: Client) -> Cursor:
        return await events.newest(client)

    def changes(self, client: Client, cursors: Mapping[str, Cursor]) -> AsyncIterator[Change]:
        return events.changes(client, cursors)


def _parse_account(answer: Answer) -> tuple[str, str]:
    """The account's id, and what its owner calls it as far as https://docs.stripe.com/api/accounts/object tells."""
    body = answer.content
    account_id = spans.scalars(body).get("id")
    if not isinstance(account_id, str) or not account_id.startswith("acct_"):
        raise UnparsableError
    names = (
        spans.scalars(body, "business_profile").get("name"),
        spans.scalars(body, "settings", "dashboard").get("display_name"),
        spans.scalars(body).get("email"),
    )
    return account_id, next((name for name in names if isinstance(name, str) and name), account_id)
