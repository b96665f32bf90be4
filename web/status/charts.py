"""What has happened by the hour, as bars that the templates draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from storage.tallies import Count

HOUR = timedelta(hours=1)
SLOW = 0.95
LIMITED = "429"


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour, or several: how many of each series there were."""

    since: datetime
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side; each series has a name and a tone."""

    id: str
    title: str
    series: Mapping[str, str]
    bars: Sequence[Bar] = field(repr=False)
    note: str = ""

    @property
    def highest(self) -> int:
        return max((bar.total for bar in self.bars), default=0)

    def total(self, name: str) -> int:
        return sum(bar.counts[name] for bar in self.bars)


def charts(counts: Sequence[Count], hours: int, width: int) -> list[Chart]:
    """Of the last *hours* hours, *width* hours a bar."""
    steps = _steps(hours, width)
    changed = {("records", "written"): "changed", ("records", "deleted"): "deleted"}
    events = {("events", "applied"): "applied", ("events", "failed"): "failed"}
    return [
        Chart("records", "Records changed", {"changed": "accent", "deleted": "bad"}, _bars(counts, steps, changed)),
        Chart(
            "webhooks",
            "Webhooks",
            {"applied": "good", "failed": "bad"},
            _bars(counts, steps, events),
            _lag(counts),
        ),
        Chart(
            "requests",
            "Requests to providers",
            {"answered": "accent", "failed": "bad", "too many (429)": "wait"},
            _bars(counts, steps, {}, of_requests=True),
        ),
    ]


def _steps(hours: int, width: int) -> list[datetime]:
    """When each bar begins, the earliest first."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    last = now - timedelta(hours=now.hour % width)
    return [last - n * width * HOUR for n in reversed(range(hours // width))]


def _bars(
    counts: Sequence[Count],
    steps: Sequence[datetime],
    named: Mapping[tuple[str, str], str],
    *,
    of_requests: bool = False,
) -> list[Bar]:
    names = ["answered", "failed", "too many (429)"] if of_requests else list(named.values())
    found = [dict.fromkeys(names, 0) for _ in steps]
    width = steps[1] - steps[0] if len(steps) > 1 else HOUR
    for one in counts:
        name = _request(one) if of_requests else named.get((one.name, one.labels[-1] if one.labels else ""))
        place = (one.hour - steps[0]) // width if one.hour else -1
        if name and 0 <= place < len(steps):
            found[place][name] += one.n
    return [Bar(since, counted) for since, counted in zip(steps, found, strict=True)]


def _request(one: Count) -> str | None:
    if one.name != "requests":
        return None
    if one.labels[0] == LIMITED:
        return "too many (429)"
    return "failed" if one.labels[0] in {"5xx", "none"} else "answered"


def _lag(counts: Sequence[Count]) -> str:
    """Within what time 95 of 100 events were applied, as far as the buckets tell."""
    buckets: dict[float, int] = {}
    for one in counts:
        if one.name == "lag":
            top = float(one.labels[0])
            buckets[top] = buckets.get(top, 0) + one.n
    tops = sorted(buckets)
    all_of_them = sum(buckets.values())
    for top, so_far in zip(tops, accumulate(buckets[top] for top in tops), strict=True):
        if so_far >= SLOW * all_of_them:
            return f"95 of 100 within {top:g} s" if top != float("inf") else "5 of 100 took over 5 minutes"
    return ""
