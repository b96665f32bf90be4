"""Case 9: SIGTERM, or Ctrl-C twice, while a run is under way."""

import signal

import psutil
import pytest

from tests.fixtures.sizes import THOROUGH, thorough

pytestmark = pytest.mark.timeout(400)


def alive(process):
    """Whether it runs; one that has ended and only waits for init to take note does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    "signals",
    [
        pytest.param([signal.SIGTERM], id="SIGTERM", marks=thorough),
        pytest.param([signal.SIGINT] * 2, id="Ctrl-C twice"),
    ],
)
def test_no_process_is_left_and_the_run_is_closed(own_up, signals):
    """Stopped within ten seconds with exit code 0, no process left; the next `up` knows the run as crashed."""
    own_up.start()
    run_id = own_up.start_sleepy_run()
    tree = own_up.tree()

    code, seconds = own_up.stop(*signals)

    print(f"stopped after {seconds:.1f} s")
    assert code == 0
    assert seconds < 10
    assert [process for process in tree if alive(process)] == []
    if THOROUGH:  # in small it is looked at after kill -9 alone
        own_up.start()
        assert own_up.state_of(run_id) == "CRASHED"
