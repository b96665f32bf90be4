"""Slack's answers: whole and `ok`, or what the refusal means; records are cut out as they were sent.

A body that is not a closed object with `ok` in it is a fault of the transport, never an empty page or a list's end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from connectors import spans
from connectors.answers import Answer, UnparsableError
from connectors.errors import ConnectorError
from connectors.faults import Fault
from connectors.slack.outlines import id_of
from connectors.slack.refusals import meaning

Lists = Literal["channels", "members", "messages"]
Objects = Literal["channel", "user"]


@dataclass(frozen=True, slots=True)
class Listed:
    """One page: its records as bytes, the cursor of the next one, and Slack's clock.

    `more` without a `following` happens where Slack pages by time alone.
    """

    records: list[bytes]
    following: str
    more: bool
    now: datetime | None
    made_between: tuple[float, float] | None
    """No earlier and no later than this, by that clock."""


class _Envelope(msgspec.Struct):
    ok: bool
    error: Any = None
    channels: list[msgspec.Raw] | None = None
    members: list[msgspec.Raw] | None = None
    messages: list[msgspec.Raw] | None = None
    has_more: Any = None
    response_metadata: Any = None


class _Verdict(msgspec.Struct):
    ok: bool
    error: Any = None


_decode = msgspec.json.Decoder(_Envelope).decode
_verdict = msgspec.json.Decoder(_Verdict).decode


def listed(member: Lists) -> Callable[[Answer], Listed]:
    """Parses a page of the records that stand under *member*."""

    def parse(answer: Answer) -> Listed:
        envelope = _opened(answer.content, member)
        if not envelope.ok:
            raise meaning(envelope.error)
        records: list[msgspec.Raw] | None = getattr(envelope, member)
        if records is None:
            raise UnparsableError
        more = envelope.response_metadata
        following = more.get("next_cursor") if isinstance(more, dict) else None
        following = following if isinstance(following, str) else ""
        found = [bytes(record) for record in records]
        return Listed(found, following, envelope.has_more is True, answer.date, answer.made_between)

    return parse


def found(member: Objects, wanted: str) -> Callable[[Answer], bytes]:
    """Parses the object that stands under *member* and has the id *wanted*; anything else was not meant for us."""

    def parse(answer: Answer) -> bytes:
        body = answer.content
        accepted(body)
        parts = spans.document(body)
        if member not in parts or body[parts[member][0]] != ord("{"):
            raise UnparsableError
        record = body[slice(*parts[member])]
        if id_of(record) != wanted:
            raise UnparsableError
        return record

    return parse


def accepted(body: bytes) -> None:
    """Nothing, if Slack has done what it was asked to do; raises what its refusal means otherwise."""
    try:
        verdict = _verdict(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        verdict = _outlined(body)
    if not verdict.ok:
        raise meaning(verdict.error)


def refused(answer: Answer) -> ConnectorError | None:
    """What an answer with an error's status means in Slack's own words; None where it has none."""
    try:
        accepted(answer.content)
    except ConnectorError as error:
        return error
    except (UnparsableError, Fault):
        pass
    return None


def _opened(body: bytes, member: Lists) -> _Envelope:
    try:
        return _decode(body)
    except msgspec.ValidationError:
        raise UnparsableError from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _split(body, member)


def _split(body: bytes, member: Lists) -> _Envelope:
    """The same with nothing but the outline looked at, for records that a JSON parser refuses."""
    parts = spans.document(body)
    verdict = _outlined(body)
    envelope = _Envelope(verdict.ok, verdict.error)
    if member in parts:
        records = [msgspec.Raw(body[begin:end]) for begin, end in spans.elements(body, parts[member])]
        setattr(envelope, member, records)
    envelope.has_more = spans.scalars(body).get("has_more")
    envelope.response_metadata = spans.scalars(body, "response_metadata")
    return envelope


def _outlined(body: bytes) -> _Verdict:
    outline = spans.scalars(body)
    if not isinstance(outline.get("ok"), bool):
        raise UnparsableError
    return _Verdict(outline["ok"], outline.get("error"))
