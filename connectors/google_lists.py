"""The envelope of Google's lists: whole or not at all, its records cut out as they were sent.

A list that holds nothing has no member for its records, so what proves a body to be a list is what stands beside them.
https://developers.google.com/workspace/calendar/api/guides/pagination
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connectors import spans
from connectors.answers import UnparsableError
from connectors.errors import Broken

_PLAIN = ("kind", "etag", "nextPageToken", "nextSyncToken", "resultSizeEstimate", "historyId", "accessRole", "timeZone")


@dataclass(frozen=True, slots=True)
class GoogleList:
    """One page: its records as bytes, where the next begins, and the plain members that stand beside the records."""

    records: list[bytes]
    next_page: str | None
    """None at the end of the list."""
    given: bool = True
    """Whether there was a member for the records at all."""
    beside: Mapping[str, Any] = field(default_factory=dict)


def google_list(body: bytes, items: str, kind: str | None = None) -> GoogleList:
    """The page in *body*, whose records are in *items*. UnparsableError unless it is one, whole, and of that *kind*.

    Without a *kind* it takes the records' own member, or one that only a list has, to prove that it is one.
    """
    records, beside = _outline(body, items)
    if kind is not None and (beside.get("kind") != kind or not isinstance(beside.get("etag"), str)):
        raise UnparsableError
    following = beside.get("nextPageToken")
    if following is not None and not (isinstance(following, str) and following):
        raise UnparsableError
    if records is None and not beside.keys() - {"kind", "etag"}:
        raise UnparsableError
    return GoogleList(records or [], following, records is not None, beside)


def _outline(body: bytes, items: str) -> tuple[list[bytes] | None, dict[str, Any]]:
    try:
        envelope = _decoder(items).decode(body)
    except msgspec.ValidationError:
        raise UnparsableError from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _split(body, items)
    beside = {name: value for name in _PLAIN if (value := getattr(envelope, name)) is not None}
    records = None if envelope.records is msgspec.UNSET else [bytes(record) for record in envelope.records]
    return records, beside


def _split(body: bytes, items: str) -> tuple[list[bytes] | None, dict[str, Any]]:
    """The same with nothing but the outline looked at, for records that a JSON parser refuses."""
    parts = spans.document(body)
    plain = {name: spans.scalar(body[slice(*parts[name])]) for name in _PLAIN if name in parts}
    beside = {name: value for name, value in plain.items() if value is not None}
    if items not in parts:
        return None, beside
    return [body[begin:end] for begin, end in spans.elements(body, parts[items])], beside


@functools.cache
def _decoder(items: str) -> msgspec.json.Decoder[Any]:
    records = ("records", list[msgspec.Raw] | msgspec.UnsetType, msgspec.field(name=items, default=msgspec.UNSET))
    return msgspec.json.Decoder(msgspec.defstruct("Envelope", [records, *((name, Any, None) for name in _PLAIN)]))


_MOST_REPEATS = 2
"""A page that leads nowhere is asked for again so often, then the read stops."""
_MOST_EMPTY = 50
"""Google may send pages without records before the end, but nobody sends so many in a row."""
_LOOP = (
    "{provider} keeps sending the same page, so its list has no end. What was read is kept; sync again later, "
    "it goes on from there."
)


class Walk:
    """Where a paged read has been, so that it notices when it is led in a circle."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._seen: set[str] = set()
        self._repeats = 0
        self._empty = 0

    def leads_nowhere(self, here: str | None, page: GoogleList) -> bool:
        """Whether the page after the token *here* must be asked for again; Broken when that was done often enough."""
        following = page.next_page
        if following is None:
            return False
        self._empty = 0 if page.records else self._empty + 1
        if self._empty > _MOST_EMPTY:
            raise Broken(self._title, _LOOP, code="endless_list")
        if following != here and following not in self._seen:
            self._seen.add(following)
            self._repeats = 0
            return False
        self._repeats += 1
        if self._repeats > _MOST_REPEATS:
            raise Broken(self._title, _LOOP, code="endless_list")
        return True
