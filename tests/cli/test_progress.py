"""Progress: figures a person can read, and few lines where there is no terminal."""

from datetime import UTC, datetime, timedelta

import pytest

from cli import output, progress
from deployments.words import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (250, "4 min 10 s"), (7260, "2 h 1 min")],
)
def test_durations(seconds, words):
    """A tenth where it tells something, minutes and hours where seconds do not."""
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("state", "note"),
    [
        ({"records": 5, "done": True}, "done"),
        ({"records": 900, "parts_done": 2, "parts_total": 12}, "part 3 of 12 · 90/s"),
        ({"records": 900, "parts_done": 12, "parts_total": 12}, "part 12 of 12 · 90/s"),
        ({"records": 0, "parts_done": 0, "parts_total": None}, ""),
    ],
)
def test_the_note_beside_a_stream(state, note):
    """The part under way, and the run's own rate."""
    assert progress.note(state, 10) == note


def test_a_wait_is_said():
    """A stream that waits for its provider says so and for how long."""
    until = (datetime.now(UTC) + timedelta(seconds=40)).isoformat()

    assert "asked for a pause (" in progress.note({"records": 1, "waiting_until": until}, 1)


def test_one_line_every_ten_seconds_without_a_terminal(capsys):
    """However often the sync reports, a log gets a line every ten seconds."""
    output.screen.cache_clear()
    watch = progress.Lines(clock=iter(range(26)).__next__)
    for second in range(25):
        watch({"customers": {"records": second * 100, "parts_done": 1, "parts_total": 3}, "prices": {"done": True}})

    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "10 s: 1 of 2 streams done; customers 900 part 2 of 3 · 90/s",
        "20 s: 1 of 2 streams done; customers 1,900 part 2 of 3 · 95/s",
    ]
    output.screen.cache_clear()
