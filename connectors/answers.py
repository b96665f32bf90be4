"""An answer of a provider as its connector sees it, and what its headers mean."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

_SECONDS = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?")
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_LONGEST_PAUSE = 31 * 86_400.0
"""Nobody means more than a month; a longer pause would be a typing error that stops a connector for good."""


class UnparsableError(Exception):
    """The body is not what was asked for: cut short, garbled, or from somebody else. The request is sent again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, whole decoded body and headers of one answer."""

    status: int
    content: bytes
    headers: Mapping[str, str]
    took: float = 0.0
    """Seconds from the first byte sent to the last one received."""

    @property
    def made_between(self) -> tuple[float, float] | None:
        """When the provider made the answer, by its own clock in Unix seconds: no earlier, no later. Its Date is in
        whole seconds, and is written anywhere between the request's arrival and the answer's departure.
        """
        date = self.date
        return (date.timestamp() - self.took - 1, date.timestamp() + self.took + 1) if date else None

    @property
    def date(self) -> datetime | None:
        """The provider's own clock when it answered."""
        return http_date(self.headers.get("date"))

    @property
    def foreign_charset(self) -> bool:
        """The answer says of itself that it is not UTF-8, the only encoding JSON has."""
        found = _CHARSET.search(self.headers.get("content-type", ""))
        return found is not None and found[1].lower() not in {"utf-8", "utf8", "us-ascii"}

    @property
    def retry_after(self) -> float | None:
        """The seconds that the provider asks us to wait, at least 0; None when it says nothing that can be understood.

        A date is measured against the answer's own Date, so our clock plays no part.
        """
        said = self.headers.get("retry-after", "").strip()
        if _SECONDS.fullmatch(said):
            return min(max(float(said), 0.0), _LONGEST_PAUSE)
        until, now = http_date(said), self.date
        if until is None or now is None:
            return None
        return min(max((until - now).total_seconds(), 0.0), _LONGEST_PAUSE)


T = TypeVar("T")

Parse = Callable[[Answer], T]
"""Makes something of a good answer. Raises UnparsableError, and the request is sent again, or the ConnectorError that
the answer means where a provider puts its refusals into answers that look good."""


def http_date(value: str | None) -> datetime | None:
    """An HTTP date as a moment in UTC (one without a zone is UTC), or None when it is none."""
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
