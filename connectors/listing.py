"""A list's envelope: whole or not at all, its records cut out as they were sent.

A body that is not a closed object with an array of records and an explicit end marker is a fault of the transport,
never an empty page or the end of a list.
"""

from dataclasses import dataclass

import msgspec

from connectors import spans
from connectors.answers import UnparsableError


@dataclass(frozen=True, slots=True)
class Listing:
    """One page: its records as bytes, and whether the provider says that more follow."""

    records: list[bytes]
    has_more: bool


class _Envelope(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool


_decode = msgspec.json.Decoder(_Envelope).decode


def listing(body: bytes) -> Listing:
    """The page in *body*. UnparsableError unless it is one, whole; a record is passed on however odd it is."""
    try:
        envelope = _decode(body)
    except msgspec.ValidationError:
        raise UnparsableError from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _split(body)
    return Listing([bytes(record) for record in envelope.data], envelope.has_more)


def _split(body: bytes) -> Listing:
    """The same page with nothing but its outline looked at, for records that a JSON parser refuses."""
    parts = spans.document(body)
    if "data" not in parts or "has_more" not in parts:
        raise UnparsableError
    more = body[slice(*parts["has_more"])]
    if more not in {b"true", b"false"}:
        raise UnparsableError
    records = [body[begin:end] for begin, end in spans.elements(body, parts["data"])]
    return Listing(records, more == b"true")
