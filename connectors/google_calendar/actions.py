"""What Google Calendar is asked to do.

An event's id is made from the action's key, so that it is the same event however often it is asked for.
https://developers.google.com/workspace/calendar/api/v3/reference/events/insert
"""

import base64
import re
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import AfterValidator, Field, model_validator

from connectors.actions import Action, Asked, Id, Line, Result, Sending, Text
from connectors.answers import Answer, UnparsableError
from connectors.client import Client
from connectors.errors import Broken, Declined, Missing, Refused, Unproved
from connectors.google_calendar.api import API
from connectors.google_calendar.settings import TITLE
from connectors.google_errors import AlreadyThere, Invalid

WRITE = "https://www.googleapis.com/auth/calendar.events"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}")
_NO_CALENDAR = "{provider} has no calendar with this id on this account. Check the id."
_NO_RIGHT = "This account may not write to this calendar. Ask its owner for the right to make changes to events."
_NOT_ACCEPTED = "{provider} did not accept this event. Check its times, guests and recurrence."


def _moment(text: str) -> str:
    """A day, or a time with or without its distance from UTC, as RFC 3339 has them."""
    try:
        _parsed(text)
    except ValueError:
        raise ValueError("a day such as 2026-11-25, or a time such as 2026-11-25T10:00:00+01:00") from None
    return text


def _parsed(text: str) -> datetime:
    if not (_DAY.fullmatch(text) or _TIME.match(text)):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError("a time zone such as Europe/Paris") from None
    return name


def _address(text: str) -> str:
    if not re.fullmatch(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+\.?[^\s@<>,;:\"]*", text):
        raise ValueError("an e-mail address")
    return text


Moment = Annotated[str, Field(max_length=40), AfterValidator(_moment)]
Guest = Annotated[str, Field(max_length=254), AfterValidator(_address)]


class NewEvent(Asked):
    """What is put into the calendar; `start` and `end` are both days, or both times."""

    calendar_id: Id = Field(description="The calendar's id; `primary` is the account's own.", examples=["primary"])
    summary: Annotated[Line, Field(max_length=1024, description="The title.")]
    start: Moment = Field(description="A day, or a time.", examples=["2026-11-25T10:00:00+01:00"])
    end: Moment = Field(description="The first day, or the time, at which it is over.")
    time_zone: Annotated[str, Field(max_length=64), AfterValidator(_zone)] | None = Field(
        None, description="Needed where a time does not say its distance from UTC, and for what recurs."
    )
    description: Annotated[Text, Field(max_length=8192)] | None = None
    location: Annotated[Line, Field(max_length=1024)] | None = None
    attendees: list[Guest] = Field(default=[], max_length=200, description="E-mail addresses of guests.")
    recurrence: list[Annotated[Line, Field(max_length=1024)]] = Field(
        default=[], max_length=20, description="RRULE, EXRULE, RDATE and EXDATE lines of RFC 5545."
    )
    send_updates: Literal["all", "externalOnly", "none"] = Field("none", description="Whom Google sends invitations.")

    @model_validator(mode="after")
    def _make_sense(self) -> "NewEvent":
        days = [bool(_DAY.fullmatch(each)) for each in (self.start, self.end)]
        if days[0] != days[1]:
            raise ValueError("start and end are both days, or both times")
        first, last = datetime.fromisoformat(self.start), datetime.fromisoformat(self.end)
        if not days[0] and self.time_zone is None and (first.tzinfo is None or last.tzinfo is None):
            raise ValueError("time_zone is needed where a time does not say its distance from UTC")
        if (first.tzinfo is None) == (last.tzinfo is None) and (last <= first if days[0] else last < first):
            raise ValueError("the end comes after the start")
        return self


class CreateEvent(Action):
    name = "google_calendar.create_event"
    summary = "Put an event into a calendar."
    body = NewEvent
    scopes = frozenset({WRITE})

    async def perform(self, client: Client, asked: NewEvent, sending: Sending) -> Result:
        event_id = _event_id(sending.key)
        request = API.request(
            client,
            "events.insert",
            body=_event(asked, event_id),
            calendarId=asked.calendar_id,
            sendUpdates=asked.send_updates,
        )
        try:
            return await client.send(request, _told, repeatable=True)
        except AlreadyThere:
            return await _existing(client, asked.calendar_id, event_id)
        except Missing:
            raise Declined(TITLE, _NO_CALENDAR) from None
        except Refused:
            raise Refused(TITLE, _NO_RIGHT) from None
        except Invalid:
            raise Declined(TITLE, _NOT_ACCEPTED) from None

    async def look(self, client: Client, asked: NewEvent, sending: Sending) -> Result:
        """Asked for again: the id stays one, so that there are never two of it."""
        try:
            return await _existing(client, asked.calendar_id, _event_id(sending.key))
        except Unproved:
            pass
        try:
            return await self.perform(client, asked, sending)
        except Declined as declined:
            if declined.message == _NO_CALENDAR:  # it may have been there when the first attempt was made
                raise Unproved(TITLE) from None
            raise


ACTIONS = (CreateEvent(),)


class _Event(msgspec.Struct):
    id: str
    htmlLink: Any = None  # noqa: N815 - Google's name


_decode = msgspec.json.Decoder(_Event).decode


def _event_id(key: str) -> str:
    """52 letters and digits of base32hex (RFC 4648), as Google wants them."""
    return base64.b32hexencode(bytes.fromhex(key)).decode().rstrip("=").lower()


def _event(asked: NewEvent, event_id: str) -> dict[str, Any]:
    given = {"summary": asked.summary, "description": asked.description, "location": asked.location}
    event: dict[str, Any] = {"id": event_id} | {name: value for name, value in given.items() if value is not None}
    event |= {"start": _point(asked.start, asked.time_zone), "end": _point(asked.end, asked.time_zone)}
    if asked.attendees:
        event["attendees"] = [{"email": address} for address in asked.attendees]
    if asked.recurrence:
        event["recurrence"] = asked.recurrence
    return event


def _point(text: str, zone: str | None) -> dict[str, str]:
    if _DAY.fullmatch(text):
        return {"date": text}
    moment = datetime.fromisoformat(text)
    return {"dateTime": moment.isoformat()} | ({"timeZone": zone} if zone else {})


async def _existing(client: Client, calendar_id: str, event_id: str) -> Result:
    """The event that there is; Unproved when it cannot be read."""
    try:
        return await client.ask(API.request(client, "events.get", calendarId=calendar_id, eventId=event_id), _told)
    except (Broken, Refused):
        raise Unproved(TITLE) from None


def _told(answer: Answer) -> Result:
    try:
        event = _decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnparsableError from None
    return {"event_id": event.id, "html_link": event.htmlLink if isinstance(event.htmlLink, str) else None}
