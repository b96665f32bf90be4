"""Dates and times as the Calendar API has them.

https://developers.google.com/workspace/calendar/api/v3/reference/events#start
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.google.errors import Failed, bad_request

Edge = dict[str, Any]
"""`{date}` or `{dateTime, timeZone?}`."""


def zone(name: str | None) -> ZoneInfo:
    """The time zone of that IANA name."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise Failed(400, "invalid", "Invalid time zone definition for start time.") from None


def stamp(seconds: float) -> str:
    """`created` and `updated`, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown(moment: datetime) -> str:
    """A moment with its offset; UTC is `Z`."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def parameter(value: str) -> datetime:
    """A moment as a parameter gives it: RFC 3339, the offset is a must."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise bad_request() from None
    if found.tzinfo is None or "T" not in value.upper():
        raise bad_request()
    return found


def edge(value: Any, home: str) -> Edge:
    """A start or an end in the form in which the API gives it back, in the calendar's time zone *home*."""
    if not isinstance(value, dict) or (value.get("date") is None) == (value.get("dateTime") is None):
        raise (
            Failed(400, "required", "Missing end time.") if not value else Failed(400, "invalid", "Invalid start time.")
        )
    if value.get("date") is not None:
        try:
            return {"date": date.fromisoformat(str(value["date"])).isoformat()}
        except ValueError:
            raise Failed(400, "invalid", "Invalid value for: Invalid format") from None
    try:
        moment = datetime.fromisoformat(str(value["dateTime"]))
    except ValueError:
        raise Failed(400, "invalid", "Invalid value for: Invalid format") from None
    own = value.get("timeZone")
    if moment.tzinfo is None:
        if own is None:
            raise Failed(400, "required", "Missing time zone definition for start time.")
        moment = moment.replace(tzinfo=zone(own))
    zone(own)
    return {"dateTime": shown(moment.astimezone(zone(home))), "timeZone": own or home}


def moment_of(value: Edge, home: str) -> datetime:
    """The instant of a start or an end; days begin at midnight in *home*."""
    if "date" in value:
        return datetime.fromisoformat(value["date"]).replace(tzinfo=zone(home))
    return datetime.fromisoformat(value["dateTime"])


def length(start: Edge, end: Edge) -> timedelta:
    """How long it lasts."""
    if "date" in start:
        return date.fromisoformat(end["date"]) - date.fromisoformat(start["date"])
    return datetime.fromisoformat(end["dateTime"]) - datetime.fromisoformat(start["dateTime"])


def in_zone(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """The same event with its times in another zone, as the parameter `timeZone` has it."""
    changed = {}
    for which in ("start", "end", "originalStartTime"):
        value = fields.get(which)
        if value and "dateTime" in value:
            moment = datetime.fromisoformat(value["dateTime"]).astimezone(zone(name))
            changed[which] = {**value, "dateTime": shown(moment)}
    return fields | changed
