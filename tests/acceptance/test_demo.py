"""`make demo`, as a stranger runs it."""

import os
import re
import subprocess
import sys
import time

import psutil
import pytest

from connectors.oauth import OAuthConnector
from connectors.registry import find_connectors
from tests.fixtures.sizes import thorough

SYNCLINE = [sys.executable, "-c", "from cli.main import main; main()"]
ALONE = "PYTEST_XDIST_WORKER" not in os.environ
DEMO_SECONDS = 90 if ALONE else 240  # other tests run beside it

pytestmark = [thorough, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo has been run in an empty folder; what it said, and what is left."""
    folder = tmp_path_factory.mktemp("demo")
    started = time.monotonic()
    environment = os.environ | {"SYNCLINE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/not-to-be-used"}
    done = subprocess.run(
        [*SYNCLINE, "demo"], cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    return folder, done, time.monotonic() - started


def test_it_ends_well_and_in_time(demo):
    """Exit code 0, and within 90 seconds on two cores that have nothing else to do."""
    _, done, seconds = demo

    assert done.returncode == 0, done.stdout + done.stderr
    assert seconds < DEMO_SECONDS


def test_it_tells_each_step_with_its_time(demo):
    """Eight steps in order, each with the time it took."""
    _, done, _ = demo

    steps = re.findall(r"^(\d)/8 (\w+).* [\d.]+ s  ✓$", done.stdout, flags=re.MULTILINE)
    assert [int(number) for number, _ in steps] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_it_connects_and_syncs_every_provider(demo):
    """Each connector has been connected, by its key or over its consent page, and read what changed."""
    _, done, _ = demo

    for name, connector in find_connectors().items():
        how = "OAuth" if isinstance(connector, OAuthConnector) else "key"
        assert f"{name} ({how})" in done.stdout
        counted = re.search(rf"^ +{name}: read \d+, changed (\d+), deleted \d+$", done.stdout, flags=re.MULTILINE)
        assert counted, name
        assert int(counted[1]) > 0, name


def test_an_action_happens_once(demo):
    """Run twice with one key, it has one and the same answer."""
    _, done, _ = demo

    assert re.search(r"^ +both answers: sub_\w+", done.stdout, flags=re.MULTILINE)


def test_what_is_pushed_lands(demo):
    """Every provider has pushed something, signed, and it came to its row without a poll."""
    _, done, _ = demo

    landed = re.findall(r"^ +(\w+) +.* in its row after ([\d,]+) ms$", done.stdout, flags=re.MULTILINE)
    assert {name for name, _ in landed} == set(find_connectors())


def test_it_shows_the_sql_and_the_rows(demo):
    """The customer that was renamed, the moved one and the tombstone of the deleted one are in Postgres."""
    _, done, _ = demo

    assert "select id, name, email, deleted_at from" in done.stdout
    assert "Grace Hopper" in done.stdout
    assert "moved@example.com" in done.stdout
    assert "(3 rows)" in done.stdout
    assert "It was, we have refunded one of them." in done.stdout


def test_it_leaves_nothing_running(demo):
    """No process works in the demo's folder any more, and its home is gone."""
    folder, _, _ = demo

    assert [process for process in psutil.process_iter() if _works_in(process, folder)] == []
    assert not list((folder / ".syncline").glob("demo-1/*"))


def test_it_shows_no_key(demo):
    """The demo prints no API key, no token and no password."""
    _, done, _ = demo

    for secret in ("sk_test", "xoxb-", "xoxe", "ya29.", "client-secret", "session="):
        assert secret not in done.stdout + done.stderr


def _works_in(process, folder):
    try:
        return process.cwd().startswith(str(folder)) or str(folder) in " ".join(process.cmdline())
    except psutil.Error:
        return False
