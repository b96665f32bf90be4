"""Channels for the list of calendars and for each calendar whose changes Google pushes.

https://developers.google.com/workspace/calendar/api/v3/reference/events/watch
"""

import ipaddress
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from connectors.base import Cursor
from connectors.client import Client
from connectors.errors import Missing, Refused
from connectors.google_calendar.api import API
from connectors.google_calendar.settings import TITLE, load
from connectors.google_errors import Invalid
from connectors.google_push import made_for
from connectors.push import Channel, Made, Push

LIST = ""
"""The subject that stands for the list of calendars."""
_POLLED = "{provider} does not push what changes in this calendar: it is polled."


class CalendarPush(Push):
    """A channel cannot be renewed: a new one takes its place, and then the old one is stopped."""

    lifetime_seconds = 7 * 86_400.0
    renew_seconds = 48 * 3_600.0

    def missing(self, address: str) -> str | None:
        # What stands in for Google on this machine pushes to addresses of this machine.
        here = _is_loopback(load().api_url) and _is_loopback(address)
        if here or urlsplit(address).scheme == "https":
            return None
        return "Google pushes to https addresses alone: set SYNCLINE_PUBLIC_URL to one. Until then it is polled."

    def subjects(self, cursors: Mapping[str, Cursor]) -> Sequence[str]:
        """Calendars without a token tell no deletions, or cannot be read: they are polled."""
        known = cursors.get("events") or {}
        return [LIST, *(calendar for calendar, piece in known.items() if piece.get("token"))] if known else []

    def streams(self, subject: str) -> Sequence[str]:
        return ["calendars"] if subject == LIST else ["events"]

    async def watch(self, client: Client, channel: Channel) -> Made:
        body = {
            "id": channel.id,
            "type": "web_hook",
            "address": channel.address,
            "token": channel.token,
            "expiration": str(int((time.time() + self.lifetime_seconds) * 1000)),
        }
        if channel.subject == LIST:
            request = API.request(client, "calendarList.watch", body=body)
        else:
            request = API.request(client, "events.watch", calendarId=channel.subject, body=body)
        try:
            return await client.send(request, made_for(self.lifetime_seconds))
        except (Invalid, Missing):
            raise Refused(TITLE, _POLLED) from None

    async def stop(self, client: Client, channel_id: str, resource_id: str | None) -> None:
        if resource_id is None:  # nobody knows it, so it ends by itself
            return
        body = {"id": channel_id, "resourceId": resource_id}
        try:
            await client.send(API.request(client, "channels.stop", body=body), lambda _: None, repeatable=True)
        except Missing:
            return


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
