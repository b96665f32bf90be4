"""The arithmetic of limits on a simulated clock: no second ever holds more than the published rate."""

import itertools
import math
from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.session import Bucket, Limit
from tasks.throttle.clock import Clock
from tasks.throttle.limits import limit_name
from tasks.throttle.pace import TRAVEL, Pace, pace
from tasks.throttle.supply import Supply

LIMITS = [Limit(25), Limit(100), Limit(5), Limit(1), Limit(50, 60), Limit(1, 60), Limit(17, 2), Limit(250), Limit(7)]


def worst(moments: list[float], window: float) -> int:
    """The most that any window of so many seconds holds."""
    moments = sorted(moments)
    return max(bisect_left(moments, at + window) - index for index, at in enumerate(moments))


def spend(pace: Pace, gaps: list[float], cost: int = 1) -> list[float]:
    """When the requests arrive of processes that take turns with these gaps, and ask and travel as late as they may."""
    arrivals, start, draws = [], 0.0, itertools.cycle(gaps)
    for gap in gaps:
        supply, now = Supply(pace), start
        supply.add(start, pace.block)
        while (at := supply.when(now, cost)) is not None:
            now = at + next(draws) * pace.late
            found = supply.find(now, cost)
            if found and found.when <= now:
                supply.spend(found)
                arrivals += [now + next(draws) * TRAVEL] * cost
        start += pace.span(pace.block) + (gap if gap > 0.5 else 0)
    return arrivals


@pytest.mark.parametrize("limit", LIMITS, ids=str)
@given(gaps=st.lists(st.floats(0, 1), min_size=12, max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_window_holds_more_than_the_limit(limit, gaps):
    """Whoever takes turns, however late units are spent and requests travel: no second exceeds the limit."""
    arrivals = spend(pace(limit), gaps)

    assert worst(arrivals, 1.0) <= math.ceil(limit.units / limit.per_seconds)
    assert worst(arrivals, max(1.0, limit.per_seconds)) <= math.ceil(limit.units * max(1.0, 1 / limit.per_seconds))


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_who_always_asks_gets_nine_tenths(limit):
    """Units that are spent as they come due add up to at least 0.88 of the published rate."""
    ours = pace(limit)

    share = ours.block / ours.span(ours.block) / (limit.units / limit.per_seconds)

    assert 0.88 <= share <= 1


@pytest.mark.parametrize("units", [1, 5, 10, 40, 100, 250])
def test_dear_requests_stay_within_the_limit(units):
    """Requests of several units never add up to more than the limit in a second."""
    ours = pace(Limit(250))
    supply, now, arrivals = Supply(ours), 0.0, []
    for turn in range(60):
        supply.add(turn * ours.span(ours.block), ours.block)
        while (at := supply.when(now, ours.cost(units))) is not None:
            now = at
            found = supply.find(now, ours.cost(units))
            assert found is not None
            supply.spend(found)
            arrivals += [now] * units

    assert worst(arrivals, 1.0) <= 250
    assert len(arrivals) / now >= 0.85 * (250 // units) * units * 0.9


def test_a_unit_that_nobody_took_lapses():
    """Units do not pile up while nobody asks."""
    ours = pace(Limit(25))
    supply = Supply(ours)
    supply.add(0.0, ours.block)

    assert supply.when(10.0, 1) is None


def test_a_stalled_event_loop_does_not_shift_the_clock():
    """An answer noticed late leaves the estimate where a prompt one had put it; a clock that is set takes it along."""
    clock = Clock()
    clock.see(100.0, 0.000, 0.001)

    clock.see(101.0, 0.999, 1.500)
    assert clock.ours(101.0) == pytest.approx(1.001)

    clock.see(202.0, 1.999, 2.001)
    assert clock.ours(202.0) == pytest.approx(2.001, abs=0.003)


@pytest.mark.parametrize("text", ["", "acct_1/%&<>?#", "ü" * 300, "\ud800\x00", "a" * 5000, "..", "tag:x"])
def test_names_are_safe_and_readable(text):
    """Whatever a scope contains, Prefect takes the name, and it is short."""
    name = limit_name(Bucket("stripe", "endpoint:GET /v1/customers/{id}", text, Limit(25)))

    assert name.startswith("stripe:endpoint-get-v1-customers-id")
    assert len(name) < 250
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789:._-")


def test_parts_that_look_alike_have_different_names():
    """What was cleaned away still tells buckets apart."""
    names = {
        limit_name(Bucket("x", name, scope, Limit(1))) for name, scope in [("a", "b c"), ("a b", "c"), ("a", "b-c")]
    }

    assert len(names) == 3
