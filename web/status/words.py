"""How things are said on the page: badges, times, figures. A badge is a shape and a word, never a colour alone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import humanize
from markupsafe import Markup

from deployments.words import duration

OUTCOMES = {
    "done": ("✓", "good", "done"),
    "continued": ("↻", "good", "goes on in the next run"),
    "skipped": ("-", "quiet", "skipped: another run was under way"),
    "needs_confirmation": ("▲", "bad", "waits for a word: too many rows would be deleted"),
    "failed": ("✕", "bad", "failed"),
    "crashed": ("✕", "bad", "stopped in the middle"),
    None: ("⟳", "busy", "running"),
}
TRIGGERS = {
    "schedule": "by schedule",
    "manual": "by hand in Prefect",
    "api": "asked for",
    "cli": "on the command line",
    "webhook": "by webhook",
}
EVENTS = {
    "pending": ("◔", "wait", "Waiting"),
    "applied": ("✓", "good", "Applied"),
    "failed": ("✕", "bad", "Failed"),
    "ignored": ("-", "quiet", "Ignored"),
}


class Badge(NamedTuple):
    """A state as it is shown."""

    shape: str
    word: str
    tone: str


CONNECTED = Badge("●", "Connected", "good")
SYNCING = Badge("⟳", "Syncing", "busy")
WAITING = Badge("◔", "Waiting", "wait")
RECONNECT = Badge("▲", "Reconnect needed", "bad")
PAUSED = Badge("‖", "Paused", "quiet")
DISCONNECTED = Badge("○", "Disconnected", "quiet")


def badge(connection: Mapping[str, Any]) -> Badge:
    """The state of a connection of the status object: what does not mend itself first, then what is going on."""
    ended = {"needs_reconnect": RECONNECT, "paused": PAUSED, "disconnected": DISCONNECTED}
    if connection["state"] in ended:
        return ended[connection["state"]]
    if connection["sync_in_progress"]:
        return WAITING if waiting_until(connection) else SYNCING
    return WAITING if connection["error"] else CONNECTED


def waiting_until(connection: Mapping[str, Any]) -> datetime | None:
    """When the pause ends that the provider asked for, if there is one."""
    said = (connection["progress"] or {}).get("waiting_until")
    until = datetime.fromisoformat(said) if said else None
    return until if until and until > datetime.now(UTC) else None


def overall(counts: Mapping[str, int]) -> tuple[str, Badge]:
    """One sentence of how everything stands."""
    here = counts["all"] - counts["disconnected"]
    if not here:
        return "Nothing is connected yet.", DISCONNECTED
    if needy := counts["attention"]:
        others = " The others are up to date." if here > needy else ""
        return f"{needy} of {plural(here, 'connection')} {'needs' if needy == 1 else 'need'} you.{others}", RECONNECT
    if syncing := counts["syncing"]:
        return f"{syncing} of {plural(here, 'connection')} {'is' if syncing == 1 else 'are'} syncing.", SYNCING
    return f"All is well: {plural(here, 'connection')}, nothing needs you.", CONNECTED


def plural(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def when(moment: datetime | str | None) -> Markup:
    """How long ago or how soon, in words; the time itself for whoever points at it."""
    if moment is None:
        return Markup("never")
    at = _moment(moment)
    words = humanize.naturaltime(datetime.now(UTC) - at)
    full = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), full, words)


def clock(moment: datetime | str) -> Markup:
    """The time of day, with the date for whoever points at it."""
    at = _moment(moment)
    full = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{:%H:%M:%S}</time>').format(at.isoformat(), full, at)


def took(run: Mapping[str, Any]) -> str:
    """How long a run took, or takes so far."""
    until = run["ended_at"] or datetime.now(UTC)
    return duration(max(0.0, (until - run["started_at"]).total_seconds()))


def _moment(moment: datetime | str) -> datetime:
    at = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
    return at.astimezone(UTC)
