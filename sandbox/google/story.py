"""The demo's Google account: a calendar and a mailbox, and what is moved, cancelled and written later."""

from collections.abc import Mapping
from typing import Any

from sandbox.control import control
from sandbox.google.settings import DEMO_ACCOUNT
from sandbox.stories import Pushed, Story


def fill_calendar(url: str) -> None:
    """A year of meetings, and a daily one."""
    control(url, "google", "load", email=DEMO_ACCOUNT, events=200, seed=1)
    _event(url, "Daily", recurrence=["RRULE:FREQ=DAILY;COUNT=20"])


def fill_mailbox(url: str) -> None:
    """Some sixty mails."""
    control(url, "google", "load", email=DEMO_ACCOUNT, messages=60, seed=1)


def change_calendar(url: str) -> list[str]:
    """A meeting is made and moved, another one is made and cancelled."""
    moved, gone = _event(url, "Review"), _event(url, "Lunch")
    later = {"start": {"dateTime": "2026-03-04T15:00:00Z"}, "end": {"dateTime": "2026-03-04T16:00:00Z"}}
    control(url, "google", "update_event", email=DEMO_ACCOUNT, id=moved, fields=later)
    control(url, "google", "cancel_event", email=DEMO_ACCOUNT, id=gone)
    return [f"google  event {moved} made and moved, {gone} made and cancelled"]


def change_mailbox(url: str) -> list[str]:
    """A mail comes in and is read."""
    mail = control(url, "google", "deliver", email=DEMO_ACCOUNT, subject="Your order", text="It is on its way.")["id"]
    control(url, "google", "label_message", email=DEMO_ACCOUNT, id=mail, remove=["UNREAD"])
    return [f"google  mail {mail} came in and was read"]


def push_calendar(url: str) -> Pushed:
    """A meeting is made."""
    event = _event(url, "Pushed")
    return Pushed(f"event {event}", "select 1 from google_calendar.events where id = %s", [event])


def push_mailbox(url: str) -> Pushed:
    """A mail comes in."""
    mail = control(url, "google", "deliver", email=DEMO_ACCOUNT, subject="Arrived", text="Thank you!")["id"]
    return Pushed(f"mail {mail}", "select 1 from gmail.messages where id = %s", [mail])


def courier(url: str, call: str) -> None:
    """Its deliveries wait, or go on."""
    control(url, "google", f"webhooks/{call}", email=DEMO_ACCOUNT)


def fault(url: str, call: str, body: Mapping[str, Any]) -> None:
    """Something goes wrong with requests to come, or no more."""
    control(url, "google", call, email=DEMO_ACCOUNT, **body)


def revoke(url: str) -> None:
    """The user has taken back what was granted."""
    control(url, "google", "revoke", email=DEMO_ACCOUNT)


def _event(url: str, summary: str, **fields: object) -> str:
    given = {
        "summary": summary,
        "start": {"dateTime": "2026-03-02T10:00:00Z"},
        "end": {"dateTime": "2026-03-02T11:00:00Z"},
    }
    made = control(url, "google", "create_event", email=DEMO_ACCOUNT, fields=given | fields)
    return str(made["id"])


STORIES = (
    Story(
        connector="google_calendar",
        title="Google Calendar",
        fill=fill_calendar,
        change=change_calendar,
        query="select summary, start_at, deleted_at from google_calendar.events order by change_seq desc limit 2",
        push=push_calendar,
        courier=courier,
        fault=fault,
        revoke=revoke,
    ),
    Story(
        connector="gmail",
        title="Gmail",
        fill=fill_mailbox,
        change=change_mailbox,
        query="select subject, body_text, label_ids from gmail.messages order by change_seq desc limit 1",
        push=push_mailbox,
        courier=courier,
        fault=fault,
        revoke=revoke,
    ),
)
