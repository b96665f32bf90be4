"""The web application as `syncline up` runs it: what it starts really runs, and it comes back when it dies."""

import json
import time

import httpx
import pytest

from tests.fixtures.sizes import thorough

pytestmark = pytest.mark.timeout(400)
SECONDS = 120


@pytest.fixture
def running(own_up, provider):
    own_up.environment["SYNCLINE_STRIPE_API_URL"] = provider.url
    own_up.start()
    return own_up


@pytest.fixture
def api(running):
    token = (running.home / "admin.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(
        base_url=f"{running.web_url}/api/v1", headers=headers, trust_env=False, verify=False, timeout=60
    ) as client:
        yield client


@thorough
def test_syncs_that_are_asked_for_run(running, api, provider):
    """A new connection is read in full by the deployment, a sync that is asked for runs too, both told by `runs`; and
    the application is back soon after it was killed.
    """
    provider.create(name="Ada")
    asked = {"connector": "stripe", "user_id": "42", "credentials": {"api_key": provider.key}}
    connection = api.post("/connections", json=asked).json()
    here = f"/connections/{connection['id']}"
    (first,) = _wait(lambda: [run for run in api.get(f"{here}/runs").json()["items"] if run["outcome"]])
    assert (first["mode"], first["trigger"], first["outcome"]) == ("full", "api", "done")
    assert first["streams"]["customers"]["written"] == 1

    answer = api.post(f"{here}/sync", json={"mode": "incremental"})
    assert answer.status_code == 202, answer.text
    started = answer.json()["flow_run_id"]
    second = _wait(lambda: _ended(api, here, started))
    assert (second["mode"], second["trigger"], second["outcome"]) == ("incremental", "api", "done")
    assert _wait(lambda: [line for line in running.lines if "  full  1 changed, " in line])

    (web,) = [process for process in running.tree() if "web.server" in process.cmdline()]
    web.kill()
    running.wait_for("! web stopped (signal 9)")
    assert _wait(lambda: _ready(running.web_url))

    log = (running.home / "logs" / "web.log").read_text()
    assert "route=/api/v1/connections/{connection_id}/sync status=202" in log
    assert provider.key not in log
    assert connection["id"] not in log


@thorough
def test_a_link_to_the_status_page(running):
    """`syncline login` prints a link that works once, and where Prefect's UI and its password are."""
    done = running.run("login")
    link = done.stdout.strip()
    assert done.returncode == 0, done.stderr
    assert f"127.0.0.1:{running.port}" in done.stderr
    assert "prefect.auth" in done.stderr

    with httpx.Client(trust_env=False, verify=False, timeout=60) as browser:
        asked = browser.get(link)
        assert "Open the status page" in asked.text
        once = link.partition("once=")[2]
        assert browser.post(f"{running.web_url}/login", data={"once": once}).status_code == 303
        assert "Nothing is connected yet." in browser.get(f"{running.web_url}/").text
    with httpx.Client(trust_env=False, verify=False, timeout=60) as other:
        assert other.post(f"{running.web_url}/login", data={"once": once}).status_code == 422

    said = json.loads(running.run("login", "--json").stdout)
    assert set(said) == {"url", "prefect_url", "prefect_password_in"}


def _ended(api, here, flow_run_id):
    runs = api.get(f"{here}/runs").json()["items"]
    return next((run for run in runs if run["flow_run_id"] == flow_run_id and run["outcome"]), None)


def _ready(url):
    try:
        return httpx.get(f"{url}/readyz", trust_env=False, verify=False).is_success
    except httpx.HTTPError:
        return False


def _wait(look):
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come to that in time")
