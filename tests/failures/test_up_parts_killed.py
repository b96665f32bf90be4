"""Cases 39 to 41: the Prefect server or the worker dies, or is not there at the start."""

import time

import httpx
import psutil
import pytest

from deployments.prefect_server import basic
from tests.fixtures.sizes import thorough

pytestmark = pytest.mark.timeout(400)


@thorough
def test_prefect_server_and_worker_are_started_again(own_up):
    """Killed with -9, the server and then the worker come back by themselves, and a run can be started."""
    own_up.start()
    _kill(own_up, "uvicorn")
    _wait_until_healthy(own_up)
    _kill(own_up, "deployments.worker")

    run_id = own_up.start_sleepy_run()

    assert own_up.state_of(run_id) == "RUNNING"
    assert [line for line in own_up.lines if line.startswith("! prefect stopped (signal 9)")]
    assert [line for line in own_up.lines if line.startswith("! worker stopped (signal 9)")]


def test_a_foreign_prefect_that_is_down_ends_the_start(own_up):
    """With PREFECT_API_URL set and nobody there, `up` says so in one sentence and leaves no process."""
    own_up.environment["PREFECT_API_URL"] = "http://127.0.0.1:9/api"

    done = own_up.run("up", "--port", str(own_up.web_port))

    assert done.returncode == 1
    assert "No Prefect API answers at http://127.0.0.1:9/api." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_foreign_database_that_is_down_ends_the_start(own_up):
    """With SYNCLINE_DATABASE_URL set and nobody there, `up` says so in one sentence, without the password."""
    own_up.environment["SYNCLINE_DATABASE_URL"] = "postgresql://me:s3cret@127.0.0.1:9/syncline"
    own_up.environment["SYNCLINE_ADMIN_TOKEN"] = "t" * 32
    own_up.environment["SYNCLINE_ENCRYPTION_KEYS"] = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

    done = own_up.run("up", "--port", str(own_up.web_port), "--prefect-port", str(own_up.port))

    assert done.returncode == 1
    assert "127.0.0.1:9 cannot be reached" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout


def _kill(up, part):
    (found,) = [process for process in up.tree() if part in _command(process)]
    found.kill()


def _command(process):
    """What it was started with; nothing of one that is about to be reaped."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie is one too
        return ""


def _wait_until_healthy(up):
    auth = basic((up.home / "prefect.auth").read_text())
    deadline = time.monotonic() + 120
    time.sleep(1)
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{up.api_url}/health", auth=auth).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError("\n".join(up.lines))
