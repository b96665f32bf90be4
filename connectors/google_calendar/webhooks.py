"""Calendar's pushes: everything is in headers, by a channel that we asked for.

https://developers.google.com/workspace/calendar/api/guides/push
"""

from collections.abc import Sequence

from connectors.webhooks import Claim, Delivery, Event, Forged, Meaning, Stored, Webhooks, name_in

_ID, _TOKEN = "x-goog-channel-id", "x-goog-channel-token"
_STATE, _NUMBER = "x-goog-resource-state", "x-goog-message-number"
_FIRST = "sync"
"""The state that only says that a channel has begun."""
_LONGEST = 64
"""Characters of a channel's id, a state or a number; our own ids have 36."""


class CalendarWebhooks(Webhooks):
    """The channel and its token vouch for a delivery; it says that something has changed, not what."""

    def claim(self, delivery: Delivery) -> Claim | None:
        channel, token = name_in(delivery.headers.get(_ID)), delivery.headers.get(_TOKEN)
        if not channel or not token or len(channel) > _LONGEST:
            raise Forged("The delivery names no channel, or brings no token.")
        return Claim(channel, token)

    async def verify(self, delivery: Delivery, secrets: Sequence[str] | None, *, address: str) -> Event:
        del secrets, address
        state, number = name_in(delivery.headers.get(_STATE)), name_in(delivery.headers.get(_NUMBER))
        if not state or not number or not number.isdecimal() or len(state) > _LONGEST or len(number) > _LONGEST:
            raise Forged("The delivery has no state, or no number.")
        return Event(f"{delivery.headers[_ID]}:{number}", state, ignored=state == _FIRST)

    def meaning(self, event: Stored) -> Meaning:
        subject = event.said.get("subject")
        return Meaning(subjects=[subject]) if isinstance(subject, str) else Meaning()
