"""Slack as a connector."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager

from connectors.answers import Answer, UnparsableError
from connectors.base import Account, Change, Cursor
from connectors.client import Client
from connectors.session import Session
from connectors.slack import api, changes
from connectors.slack.actions import ACTIONS
from connectors.slack.answers import accepted
from connectors.slack.channels import Channels
from connectors.slack.grants import SlackGrants, team_of
from connectors.slack.messages import Messages
from connectors.slack.settings import NAME, TITLE
from connectors.slack.users import Users
from connectors.slack.webhooks import SlackWebhooks


class Slack(SlackGrants):
    name = NAME
    title = TITLE
    mark = "#"
    streams = (Channels(), Users(), Messages())
    actions = ACTIONS
    webhooks = SlackWebhooks()

    def open(self, session: Session) -> AbstractAsyncContextManager[Client]:
        return api.open_client(session)

    async def identify(self, client: Client) -> Account:
        return await client.get("/api/auth.test", _parse_account)

    async def change_cursor(self, client: Client) -> Cursor:
        """Empty: each channel leaves its place in the feed when it has been read."""
        del client
        return {}

    def changes(self, client: Client, cursors: Mapping[str, Cursor]) -> AsyncIterator[Change]:
        return changes.changes(client, cursors)


def _parse_account(answer: Answer) -> Account:
    """The workspace, https://docs.slack.dev/reference/methods/auth.test."""
    accepted(answer.content)
    team = team_of(answer.content)
    if team is None:
        raise UnparsableError
    return team
