"""The instances of a series.

https://developers.google.com/workspace/calendar/api/concepts/events-calendars#recurring_events
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr

from sandbox.google.errors import Failed
from sandbox.google.times import Edge, length, shown, zone

MOST_INSTANCES = 1_000
"""Of a series without an end, when nobody says until when."""

Fields = dict[str, Any]


def check(fields: Fields, home: str) -> None:
    """Nothing, or the refusal of a recurrence that cannot be read."""
    try:
        next(islice(_starts(fields, home), 1), None)
    except (ValueError, TypeError):
        raise Failed(400, "invalid", "Invalid recurrence rule.") from None


def instances(
    series: Fields, home: str, low: datetime | None = None, high: datetime | None = None
) -> Iterator[tuple[str, Fields]]:
    """Id and fields of every instance that ends after *low* and starts before *high*, as the series has them."""
    lasts = length(series["start"], series["end"])
    for number, start in enumerate(_starts(series, home)):
        if high is not None and start >= high:
            return
        if high is None and number >= MOST_INSTANCES:
            return
        if low is None or start + lasts > low:
            yield _instance(series, start, home)


def instance(series: Fields, key: str, home: str) -> Fields | None:
    """The instance of that id, if the series has one then."""
    said = key[len(series["id"]) + 1 :]
    try:
        form = "%Y%m%dT%H%M%SZ" if "T" in said else "%Y%m%d"
        wanted = datetime.strptime(said, form).replace(tzinfo=UTC)
    except ValueError:
        return None
    for start in _starts(series, home):
        meant = start.astimezone(UTC) if "dateTime" in series["start"] else start.replace(tzinfo=UTC)
        if meant == wanted:
            return _instance(series, start, home)[1]
        if meant > wanted:
            return None
    return None


def instance_key(series: str, original: Edge) -> str:
    """The id of the instance that was meant to start then."""
    if "date" in original:
        return f"{series}_{original['date'].replace('-', '')}"
    return f"{series}_{datetime.fromisoformat(original['dateTime']).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _instance(series: Fields, start: datetime, home: str) -> tuple[str, Fields]:
    lasts = length(series["start"], series["end"])
    if "date" in series["start"]:
        begins: Edge = {"date": start.date().isoformat()}
        ends: Edge = {"date": (start.date() + lasts).isoformat()}
    else:
        own = series["start"].get("timeZone", home)
        begins = {"dateTime": shown(start.astimezone(zone(home))), "timeZone": own}
        # Wall clock and length agree but for the nights on which the clocks change; Google keeps the length.
        end = (start.astimezone(UTC) + lasts).astimezone(zone(home))
        ends = {"dateTime": shown(end), "timeZone": series["end"].get("timeZone", own)}
    key = instance_key(series["id"], begins)
    fields = {name: value for name, value in series.items() if name != "recurrence"}
    return key, fields | {
        "id": key,
        "start": begins,
        "end": ends,
        "recurringEventId": series["id"],
        "originalStartTime": dict(begins),
    }


def _starts(series: Fields, home: str) -> Iterator[datetime]:
    """When the instances start, aware, in order."""
    days = "date" in series["start"]
    where = zone(home if days else series["start"].get("timeZone", home))
    first = (
        datetime.fromisoformat(series["start"]["date"]).replace(tzinfo=where)
        if days
        else datetime.fromisoformat(series["start"]["dateTime"]).astimezone(where)
    )
    rules = rruleset()
    for line in series.get("recurrence") or ():
        name, _, rest = line.partition(":")
        kind = name.partition(";")[0].upper()
        if kind in ("RRULE", "EXRULE"):
            rule = rrulestr(_until(rest, where), dtstart=first)
            (rules.rrule if kind == "RRULE" else rules.exrule)(rule)
        elif kind in ("RDATE", "EXDATE"):
            add = rules.rdate if kind == "RDATE" else rules.exdate
            for said in rest.split(","):
                add(_date(said, name, where))
        else:
            raise ValueError(line)
    rules.rdate(first)
    return iter(rules)


def _until(rule: str, where: ZoneInfo) -> str:
    """The rule with its end in UTC, as the parser wants it beside a start with a time zone."""
    parts = []
    for part in rule.split(";"):
        name, _, value = part.partition("=")
        if name.upper() == "UNTIL" and not value.endswith("Z"):
            local = datetime.strptime(value, "%Y%m%dT%H%M%S") if "T" in value else _last_second(value)  # noqa: DTZ007
            part = f"UNTIL={local.replace(tzinfo=where).astimezone(UTC):%Y%m%dT%H%M%SZ}"  # noqa: PLW2901
        parts.append(part)
    return ";".join(parts)


def _last_second(value: str) -> datetime:
    return datetime.combine(date.fromisoformat(value), time(23, 59, 59))


def _date(said: str, name: str, where: ZoneInfo) -> datetime:
    if said.endswith("Z"):
        return datetime.strptime(said, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(where)
    zones = [part[5:] for part in name.split(";") if part.upper().startswith("TZID=")]
    form = "%Y%m%dT%H%M%S" if "T" in said else "%Y%m%d"
    return datetime.strptime(said, form).replace(tzinfo=zone(zones[0]) if zones else where)
