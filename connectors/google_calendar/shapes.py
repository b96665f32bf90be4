"""The columns of calendars and events.

An event that lasts whole days has dates and no times; an exception of a series says which instance it replaces.
"""

from connectors.columns import day, flag, integer, moment, text, texts

CALENDAR = {
    "summary": text(note="the calendar's own title"),
    "summary_override": text("summaryOverride", note="the title that this user gave it"),
    "description": text(),
    "location": text(),
    "time_zone": text("timeZone"),
    "access_role": text("accessRole", note="owner, writer, reader or freeBusyReader"),
    "is_primary": flag("primary"),
    "hidden": flag(),
    "selected": flag(),
    "color_id": text("colorId"),
    "background_color": text("backgroundColor"),
    "foreground_color": text("foregroundColor"),
}

EVENT = {
    "status": text(note="confirmed or tentative; a cancelled event is a tombstone"),
    "summary": text(),
    "description": text(),
    "location": text(),
    "start_at": moment(("start", "dateTime"), unit="iso", note="null for whole days"),
    "start_date": day(("start", "date"), note="for whole days"),
    "end_at": moment(("end", "dateTime"), unit="iso", note="null for whole days"),
    "end_date": day(("end", "date"), note="for whole days: the day after the last"),
    "time_zone": text(("start", "timeZone"), note="in which a series recurs"),
    "end_time_zone": text(("end", "timeZone")),
    "end_time_unspecified": flag("endTimeUnspecified"),
    "recurrence": texts(note="RRULE, EXDATE and RDATE lines of a series"),
    "recurring_event_id": text(
        "recurringEventId", "recurring_event_id", note="of an exception: the series it belongs to"
    ),
    "original_start": moment(
        ("originalStartTime", "dateTime"), "original_start", unit="iso", note="of an exception: what it replaces"
    ),
    "original_start_date": day(
        ("originalStartTime", "date"), "original_start_date", note="of an exception in a series of whole days"
    ),
    "organizer_email": text(("organizer", "email")),
    "creator_email": text(("creator", "email")),
    "attendees_omitted": flag("attendeesOmitted"),
    "event_type": text("eventType"),
    "transparency": text(),
    "visibility": text(),
    "color_id": text("colorId"),
    "ical_uid": text("iCalUID"),
    "sequence": integer(),
    "etag": text(),
    "html_link": text("htmlLink"),
    "hangout_link": text("hangoutLink"),
    "created": moment(unit="iso"),
    "updated": moment(unit="iso", note="not every change moves it"),
}
