"""One call of a Web API method by a token that is good, and what it may do."""

from dataclasses import dataclass

from sandbox.slack import stamps
from sandbox.slack.apps import Registry, Token
from sandbox.slack.arguments import Arguments
from sandbox.slack.channels import Channel, Message
from sandbox.slack.errors import Failed, missing_scope
from sandbox.slack.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Call:
    """A request as far as a method needs it."""

    registry: Registry
    token: Token
    said: Arguments

    @property
    def workspace(self) -> Workspace:
        return self.token.installation.workspace

    @property
    def strict(self) -> bool:
        """Whether the app has the limits of those that are distributed outside the Marketplace."""
        return self.token.installation.app.strict and self.workspace.limits.on

    def scoped(self, *scopes: str) -> None:
        """Nothing, or the refusal of a token with none of these scopes."""
        if not set(scopes) & set(self.token.scopes):
            raise missing_scope(",".join(scopes), self.token.scopes)

    def channel(self, kind: str) -> Channel:
        """The channel that is meant, as far as the token may know of it; *kind* is what follows the scope's colon."""
        channel = self.workspace.channels.get(self.said.needed("channel", "channel_not_found"))
        if channel is None or channel.deleted:
            self.scoped(f"channels:{kind}", f"groups:{kind}")
            raise Failed("channel_not_found")
        self.scoped(f"{'groups' if channel.private else 'channels'}:{kind}")
        if channel.private and not self.inside(channel):
            raise Failed("channel_not_found")
        return channel

    def inside(self, channel: Channel) -> bool:
        return self.token.user in channel.members

    def readable(self) -> Channel:
        """The channel that is meant, if its messages are the token's to read: a bot must be in it."""
        channel = self.channel("history")
        if self.token.bot and not self.inside(channel):
            raise Failed("not_in_channel")
        return channel

    def message(self, channel: Channel, error: str = "message_not_found") -> Message:
        """The message that `ts` names."""
        at = stamps.micros(self.said.needed("ts"))
        message = channel.messages.get(at) if at is not None else None
        if message is None:
            raise Failed(error)
        return message
