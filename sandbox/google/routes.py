"""Every method of the APIs that there is here: its address, what it needs, what it costs."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.google import calendar_methods as calendar
from sandbox.google import event_lists, mail_lists, push
from sandbox.google import mail_methods as mail
from sandbox.google.calls import Call
from sandbox.google.clients import CALENDAR, GMAIL_COMPOSE, GMAIL_MODIFY, GMAIL_READ, MAIL

Handler = Callable[[Call], bytes]


@dataclass(frozen=True, slots=True)
class Route:
    """One method."""

    name: str
    """Such as `events.list` or `users.messages.get`."""
    service: str
    method: str
    template: str
    scopes: frozenset[str]
    """Any one of them is enough."""
    handler: Handler
    units: int
    pattern: re.Pattern[str]

    @property
    def full_name(self) -> str:
        """As Google names it in errors."""
        if self.service == "calendar":
            return f"calendar.v3.{self.name}"
        return f"caribou.api.proto.MailboxService.{self.name}"


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template)))


def _calendar(name: str, method: str, path: str, scopes: str, handler: Handler) -> Route:
    template = f"/calendar/v3/{path}"
    allowed = frozenset(f"{CALENDAR}.{scope}" if scope else CALENDAR for scope in ["", *scopes.split()])
    return Route(name, "calendar", method, template, allowed, handler, 1, _pattern(template))


_GMAIL = "https://www.googleapis.com/auth/gmail"
_MAIL = {
    "read": (MAIL, GMAIL_READ, GMAIL_MODIFY),
    "ids": (MAIL, GMAIL_READ, GMAIL_MODIFY, f"{_GMAIL}.metadata"),
    "profile": (MAIL, GMAIL_READ, GMAIL_MODIFY, GMAIL_COMPOSE, f"{_GMAIL}.metadata"),
    "modify": (MAIL, GMAIL_MODIFY),
    "compose": (MAIL, GMAIL_MODIFY, GMAIL_COMPOSE),
    "send": (MAIL, GMAIL_MODIFY, GMAIL_COMPOSE, f"{_GMAIL}.send"),
    "drafts": (MAIL, GMAIL_MODIFY, GMAIL_COMPOSE, GMAIL_READ),
    "labels": (MAIL, GMAIL_READ, GMAIL_MODIFY, f"{_GMAIL}.labels", f"{_GMAIL}.metadata"),
    "all": (MAIL,),
}


def _gmail(name: str, method: str, path: str, kind: str, units: int, handler: Handler) -> Route:  # noqa: PLR0917 - a table
    template = f"/gmail/v1/users/{{userId}}/{path}"
    return Route(f"users.{name}", "gmail", method, template, frozenset(_MAIL[kind]), handler, units, _pattern(template))


_LIST, _ITEM = "users/me/calendarList", "users/me/calendarList/{calendarId}"
_OF, _EVENTS = "calendars/{calendarId}", "calendars/{calendarId}/events"
_EVENT = f"{_EVENTS}/{{eventId}}"
_LIST_READ = "readonly calendarlist calendarlist.readonly"
_EVENTS_READ = (
    "readonly events events.readonly events.owned events.owned.readonly events.public.readonly events.freebusy"
)
_STOPS = f"{_LIST_READ} {_EVENTS_READ} acls acls.readonly app.created settings settings.readonly"
_EVENTS_WRITE = "events events.owned app.created"
_CALENDARS = "calendars app.created"

# https://developers.google.com/workspace/gmail/api/reference/quota for the units
ROUTES = (
    _gmail("messages.get", "GET", "messages/{id}", "ids", 20, mail.get_message),
    _gmail("messages.list", "GET", "messages", "ids", 5, mail_lists.list_messages),
    _gmail("history.list", "GET", "history", "ids", 2, mail_lists.list_history),
    _gmail("getProfile", "GET", "profile", "profile", 1, mail.profile),
    _gmail("messages.attachments.get", "GET", "messages/{messageId}/attachments/{id}", "read", 20, mail.get_attachment),
    _gmail("messages.modify", "POST", "messages/{id}/modify", "modify", 5, mail.modify),
    _gmail("messages.trash", "POST", "messages/{id}/trash", "modify", 5, mail.trash),
    _gmail("messages.untrash", "POST", "messages/{id}/untrash", "modify", 5, mail.untrash),
    _gmail("messages.delete", "DELETE", "messages/{id}", "all", 10, mail.delete),
    _gmail("messages.send", "POST", "messages/send", "send", 100, mail.send),
    _gmail("drafts.create", "POST", "drafts", "compose", 10, mail.create_draft),
    _gmail("drafts.send", "POST", "drafts/send", "compose", 100, mail.send_draft),
    _gmail("drafts.list", "GET", "drafts", "drafts", 5, mail.list_drafts),
    _gmail("drafts.get", "GET", "drafts/{id}", "drafts", 20, mail.get_draft),
    _gmail("drafts.delete", "DELETE", "drafts/{id}", "compose", 10, mail.delete_draft),
    _gmail("labels.list", "GET", "labels", "labels", 1, mail_lists.list_labels),
    _gmail("labels.get", "GET", "labels/{id}", "labels", 1, mail_lists.get_label),
    _gmail("threads.list", "GET", "threads", "ids", 10, mail_lists.list_threads),
    _gmail("threads.get", "GET", "threads/{id}", "ids", 40, mail.get_thread),
    _gmail("watch", "POST", "watch", "ids", 100, push.watch_mail),
    _gmail("stop", "POST", "stop", "ids", 50, push.stop_mail),
    _calendar("calendarList.watch", "POST", f"{_LIST}/watch", _LIST_READ, push.watch_list),
    _calendar("events.watch", "POST", f"{_EVENTS}/watch", f"{_EVENTS_READ} app.created", push.watch_events),
    _calendar("channels.stop", "POST", "channels/stop", _STOPS, push.stop),
    _calendar("calendarList.list", "GET", _LIST, _LIST_READ, calendar.list_calendars),
    _calendar("calendarList.get", "GET", _ITEM, f"{_LIST_READ} app.created", calendar.get_list_entry),
    _calendar("calendarList.insert", "POST", _LIST, "calendarlist", calendar.insert_list_entry),
    _calendar("calendarList.patch", "PATCH", _ITEM, "calendarlist app.created", calendar.patch_list_entry),
    _calendar("calendarList.delete", "DELETE", _ITEM, "calendarlist app.created", calendar.delete_list_entry),
    _calendar("calendars.get", "GET", _OF, f"readonly calendars.readonly {_CALENDARS}", calendar.get_calendar),
    _calendar("calendars.insert", "POST", "calendars", _CALENDARS, calendar.insert_calendar),
    _calendar("calendars.patch", "PATCH", _OF, _CALENDARS, calendar.patch_calendar),
    _calendar("calendars.delete", "DELETE", _OF, _CALENDARS, calendar.delete_calendar),
    _calendar("events.list", "GET", _EVENTS, f"{_EVENTS_READ} app.created", event_lists.list_events),
    _calendar("events.get", "GET", _EVENT, f"{_EVENTS_READ} app.created", calendar.get_event),
    _calendar(
        "events.instances", "GET", f"{_EVENT}/instances", f"{_EVENTS_READ} app.created", event_lists.list_instances
    ),
    _calendar("events.insert", "POST", _EVENTS, _EVENTS_WRITE, calendar.insert_event),
    _calendar("events.patch", "PATCH", _EVENT, _EVENTS_WRITE, calendar.patch_event),
    _calendar("events.update", "PUT", _EVENT, _EVENTS_WRITE, calendar.update_event),
    _calendar("events.delete", "DELETE", _EVENT, _EVENTS_WRITE, calendar.delete_event),
)
BY_NAME = {route.name: route for route in ROUTES}


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The method of that address, and what stands in the place of its parameters."""
    for route in ROUTES:
        if route.method == method and (match := route.pattern.fullmatch(path)):
            return route, match.groupdict()
    return None
