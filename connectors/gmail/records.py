"""A message as it is stored: what Gmail sent, and in a member of ours what its headers and parts say."""

import re
from contextlib import suppress
from email.errors import MessageError
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import Any

import msgspec

from connectors.answers import UnparsableError
from connectors.gmail.api import id_of
from connectors.gmail.body_text import body_text, clean, headers_of
from connectors.gmail.shapes import OURS
from connectors.records import with_members

_LONGEST_HEADER = 20_000
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_decode = msgspec.json.Decoder().decode


def message(body: bytes, wanted: str) -> bytes:
    """The message of that id in *body*, with what is made of it. UnparsableError when it is another or none."""
    record = body.strip()
    try:
        found = _decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if id_of(record) != wanted:
            raise UnparsableError from None
        return record  # storage says what is wrong with it
    if not isinstance(found, dict) or found.get("id") != wanted:
        raise UnparsableError
    return with_members(record, {OURS: _made(found)})


def _made(found: dict[str, Any]) -> dict[str, Any]:
    """What the columns are to hold, as far as the message tells."""
    payload = found.get("payload")
    headers = headers_of(payload) if isinstance(payload, dict) else {}
    made = {
        "subject": _words(headers.get("subject")),
        "from_address": next(iter(_addresses(headers.get("from")) or ()), None),
        "to_addresses": _addresses(headers.get("to")),
        "cc_addresses": _addresses(headers.get("cc")),
        "message_id": _words(headers.get("message-id")),
        "sent_at_ms": _whole(found.get("internalDate")),
        "body_text": body_text(payload),
    }
    return {name: value for name, value in made.items() if value is not None}


def _whole(said: object) -> int | None:
    """The number in a string of digits."""
    return int(said) if isinstance(said, str) and _WHOLE.fullmatch(said) else None


def _words(value: str | None) -> str | None:
    """A header's text, with what it encodes in the manner of RFC 2047 decoded; as it is where that makes no sense."""
    if value is None:
        return None
    value = value[:_LONGEST_HEADER]
    if "=?" in value:
        with suppress(MessageError, ValueError, LookupError, TypeError):
            value = str(make_header(decode_header(value)))
    return clean(value)


def _addresses(value: str | None) -> list[str] | None:
    """The addresses in a header, without the names that stand beside them."""
    if value is None:
        return None
    try:
        found = getaddresses([value[:_LONGEST_HEADER]])
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return [clean(address) for _, address in found if "@" in address]
