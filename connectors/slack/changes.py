"""What changed in a workspace: Slack keeps no such list, so channels and users are read again, and messages by channel.

Messages come last, so that nothing waits behind them: the channel that was visited longest ago first, and after each
one request for those that were joined since the last full read.
"""

import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime

from connectors.base import Change, Coverage, Cursor, Page
from connectors.client import Client
from connectors.errors import Refused
from connectors.slack.channels import Listing
from connectors.slack.messages import concerns_all, is_readable
from connectors.slack.outlines import ChannelOutline
from connectors.slack.pace import Pace
from connectors.slack.places import Place
from connectors.slack.users import read_users
from connectors.slack.walk import Step

_NOT_GRANTED = "The app may not read {channel}: connect the workspace again and allow private channels."
_LEFT = "The app is no longer in {channel}. Its messages are kept: invite the app to go on."


async def changes(client: Client, cursors: Mapping[str, Cursor]) -> AsyncIterator[Change]:
    """See the module; a stream that is refused stops no other."""
    listing = Listing()
    of_channels = [name for name in ("channels", "messages") if name in cursors]
    if of_channels:
        async for change in _unless_refused(of_channels, listing.read(client)):
            if change.stream in cursors:
                yield change
    if "users" in cursors:
        async for change in _unless_refused(["users"], read_users(client)):
            yield change
    if "messages" in cursors and listing.whole:
        async for change in _unless_refused(["messages"], _Visits(client, listing, cursors["messages"]).all()):
            yield change


async def _unless_refused(streams: list[str], changes: AsyncIterator[Change]) -> AsyncIterator[Change]:
    try:
        async for change in changes:
            yield change
    except Refused as refused:
        for name in streams:
            yield Change(name, Page(), unavailable=refused)


class _Visits:
    """The channels of one run, and how far each has come."""

    def __init__(self, client: Client, listing: Listing, cursor: Cursor) -> None:
        self._client = client
        self._outlines = {id_: outline for id_, outline in listing.outlines.items() if is_readable(client, outline)}
        self._cursor = cursor
        self._pace = Pace.in_force()
        self._now = time.time() if listing.now is None else listing.now
        self._places = {
            channel: Place.of(channel, cursor.get(channel) or {}, private=outline.is_private is True)
            for channel, outline in self._outlines.items()
        }
        self._left = set(self._places)
        self._unreadable = dict(_lost(cursor, listing, self._outlines))

    async def all(self) -> AsyncIterator[Change]:
        """Every channel caught up, and those that are new read down to their beginning."""
        by_visit = sorted(self._places.values(), key=lambda place: place.visited)
        filling = deque(
            self._visit(place, place.fill_up(self._client, self._pace)) for place in by_visit if place.fills
        )
        for place in by_visit:
            if place.newest is None:
                continue
            async for change in self._caught_up(place):
                yield change
            async for change in _turn(filling):
                yield change
        while filling:
            async for change in _turn(filling):
                yield change
        yield Change("messages", Page(), coverage=self._coverage())

    async def _caught_up(self, place: Place) -> AsyncIterator[Change]:
        """A pass; one more where it was an earlier run that began it, and there is plenty to ask for."""
        again = place.under_way is not None and not self._pace.look_again
        async for change in self._visit(place, place.catch_up(self._client, self._pace, self._now)):
            yield change
        if again and place.channel not in self._unreadable:
            async for change in self._visit(place, place.catch_up(self._client, self._pace, self._now)):
                yield change

    async def _visit(self, place: Place, steps: AsyncIterator[Step]) -> AsyncIterator[Change]:
        """What the steps bring, each with the place after it; a channel that is refused keeps the place it had."""
        outline = self._outlines[place.channel]
        try:
            async for step in steps:
                if place.settled:
                    self._left.discard(place.channel)
                if place.no_replies:
                    self._unreadable[place.channel] = f"{outline.called}: {place.no_replies}"
                self._cursor = {**self._cursor, place.channel: place.cursor}
                page = Page(step.records, self._cursor, read_between=step.read_between)
                yield Change("messages", page, None, step.window, self._coverage())
        except Refused as refused:
            if concerns_all(refused, private=place.private):
                raise
            self._left.discard(place.channel)
            self._unreadable[place.channel] = f"{outline.called}: {refused}"

    def _coverage(self) -> Coverage:
        bounds = [bound for place in self._places.values() if (bound := self._complete_from(place)) is not None]
        since = datetime.fromtimestamp(max(bounds), UTC) if bounds else None
        return Coverage(since, len(self._left), dict(self._unreadable))

    def _complete_from(self, place: Place) -> float | None:
        if place.channel in self._unreadable:
            return None
        if place.newest is None:
            return self._now
        return float(place.complete_from) if place.complete_from else None


async def _turn(filling: "deque[AsyncIterator[Change]]") -> AsyncIterator[Change]:
    """One request for the channel whose turn it is."""
    if not filling:
        return
    first = filling.popleft()
    change = await anext(first, None)
    if change is not None:
        filling.append(first)
        yield change


def _lost(cursor: Cursor, listing: Listing, readable: Mapping[str, ChannelOutline]) -> Iterator[tuple[str, str]]:
    """The channels that cannot be read though the app is in them, or that were read before and are out of reach now.

    Not those that are archived or deleted: of them nothing is missing.
    """
    for channel, outline in listing.outlines.items():
        if outline.is_member is True and channel not in readable:
            yield channel, _NOT_GRANTED.format(channel=outline.called)
        elif channel in cursor and channel not in readable and outline.is_archived is not True:
            yield channel, _LEFT.format(channel=outline.called)
    for channel, place in cursor.items():
        if channel not in listing.outlines and place.get("private"):
            yield channel, _LEFT.format(channel=f"the private channel {channel}")
