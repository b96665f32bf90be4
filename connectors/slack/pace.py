"""How much of the messages is read again, as the limits in force allow."""

import time
from dataclasses import dataclass
from typing import Self

from connectors.slack.settings import load

LOOK_BACK = 3 * 86_400
"""Edits, deletions and late replies are looked for among messages that are not older; what is older is left to a full
read. https://docs.slack.dev/apis/events-api tells of them at once."""

_PLENTY = 20
"""Requests a minute from which on every visit of a channel looks all the way back."""
_DAY = 86_400.0
_THREAD_REST = 4 * _DAY
"""An edited reply shows nowhere but in its thread. Shared by the requests a minute, this is how long a thread rests
before it is read again though it looks the same: never within the look-back at one a minute, two hours at fifty."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`look_again`: seconds after which a channel is looked through again; `thread_again`: the same of a thread."""

    page: int
    look_again: float
    thread_again: float

    @classmethod
    def in_force(cls) -> Self:
        settings = load()
        history, replies = (
            60 * settings.limits[name].units / settings.limits[name].per_seconds
            for name in ("conversations.history", "conversations.replies")
        )
        return cls(settings.message_page, 0.0 if history >= _PLENTY else _DAY, _THREAD_REST / replies)


def back_to(now: float | None) -> str:
    """The timestamp at which the look-back ends; *now* is Slack's clock, ours only when it does not tell."""
    return f"{int((time.time() if now is None else now) - LOOK_BACK):010d}.000000"
