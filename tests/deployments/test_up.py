import json
import signal
import stat
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from deployments.prefect_server import basic
from tests.fixtures.sizes import thorough

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def auth(up):
    return basic((up.home / "prefect.auth").read_text())


def test_says_what_runs(up):
    """One line per part, and then a line that begins with `ready`."""
    parts = [line.split()[1] for line in up.lines if line.startswith("✓")]

    assert sorted(parts) == ["Deployments", "Migrations", "Postgres", "Prefect", "Web", "Worker"]
    assert [line for line in up.lines if line.startswith("ready")]


def test_prefect_asks_for_the_password(up):
    """Nobody without the generated password is let in."""
    assert httpx.get(f"{up.api_url}/admin/version").status_code == 401
    assert httpx.get(f"{up.api_url}/admin/version", auth=("syncline", "wrong")).status_code == 401


def test_prefect_refuses_forged_requests(up, auth):
    """A change without a CSRF token is refused, even with the password."""
    assert httpx.post(f"{up.api_url}/flows/", json={"name": "forged"}, auth=auth).status_code == 403


def test_prefect_answers_its_own_origin_alone(up, auth):
    """A page from elsewhere may not read what Prefect answers."""
    foreign = httpx.get(f"{up.api_url}/health", auth=auth, headers={"Origin": "https://evil.test"})
    own = httpx.get(f"{up.api_url}/health", auth=auth, headers={"Origin": up.api_url.removesuffix("/api")})

    assert "access-control-allow-origin" not in foreign.headers
    assert own.headers["access-control-allow-origin"] == up.api_url.removesuffix("/api")


def test_only_loopback_is_listened_on(up):
    """Nothing of it can be reached from another machine, and Postgres not by TCP at all."""
    listening = set()
    for process in up.tree():
        with suppress(psutil.NoSuchProcess, FileNotFoundError):  # runs come and go
            listening |= {one.laddr.ip for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN}

    assert listening == {"127.0.0.1"}


def test_no_secret_on_a_command_line(up):
    """Every process may read every command line: no password is in one."""
    secrets = [(up.home / name).read_text().strip() for name in ("prefect.auth", "postgres.password", "admin.token")]
    secrets.append(secrets[0].partition(":")[2])
    said = "\n".join(" ".join(process.cmdline()) for process in up.tree())

    assert [secret for secret in secrets if secret in said] == []


def test_no_secret_in_run_json_or_logs(up):
    """What other commands read to find the parts holds no password, nor does any log or the terminal."""
    secrets = [(up.home / name).read_text().strip() for name in ("prefect.auth", "postgres.password", "admin.token")]
    texts = [(up.home / "run.json").read_text(), up.output.read_text()]
    texts += [path.read_text() for path in (up.home / "logs").iterdir()]

    assert [secret for secret in secrets for text in texts if secret in text] == []


def test_files_are_private(up):
    """Folders are 0700 and files 0600: nobody else may read anything under SYNCLINE_HOME."""
    open_to_others = [
        path for path in (up.home, *up.home.rglob("*")) if not path.is_symlink() and path.stat().st_mode & 0o077
    ]

    assert stat.S_IMODE(up.home.stat().st_mode) == 0o700
    assert open_to_others == []


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_no_core_is_dumped(up):
    """Memory holds keys: no process of it may write a core file."""
    limits = [Path(f"/proc/{process.pid}/limits").read_text() for process in up.tree()]
    cores = {line for text in limits for line in text.splitlines() if line.startswith("Max core file size")}

    assert [line.split()[4:6] for line in cores] == [["0", "0"]]


def test_a_second_one_is_refused(up):
    """A second `up` in the same home says so in one sentence."""
    done = up.run("up", "--prefect-port", "1")

    assert done.returncode == 1
    assert "runs in" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_busy_port_is_named(own_up, up):
    """A taken port ends it at once, with the port and the flag."""
    prefect = own_up.run("up", "--port", str(own_up.web_port), "--prefect-port", str(up.port))
    web = own_up.run("up", "--port", str(up.web_port), "--prefect-port", str(own_up.port))

    assert (prefect.returncode, web.returncode) == (1, 1)
    assert f"Port {up.port} is in use." in prefect.stderr
    assert "--prefect-port" in prefect.stderr
    assert f"Port {up.web_port} is in use." in web.stderr
    assert "--port" in web.stderr


def test_doctor_finds_everything_in_order(up):
    """All checks of `doctor` are ok while it runs, and it prints what is to be registered at each provider."""
    done = up.run("doctor", "--json")

    items = json.loads(done.stdout)["items"]
    assert [item for item in items if item["state"] != "ok"] == []
    assert done.returncode == 0
    told = {item["name"]: item["detail"].split(", ") for item in items}
    granted = ("slack", "google_calendar", "gmail")
    assert set(told["redirect addresses"]) == {f"{up.web_url}/connect/{name}/callback" for name in granted}
    addresses = {f"{up.web_url}/webhooks/{name}" for name in granted}
    assert set(told["webhook addresses"]) == {f"{up.web_url}/webhooks/stripe[/CONNECTION_ID]", *addresses}


def test_everybody_knows_the_public_address(up):
    """Worker and web application are told where providers deliver to; whatever the worker starts inherits it."""
    parts = ("deployments.worker", "web.server")
    told = {
        part: process.environ().get("SYNCLINE_PUBLIC_URL")
        for process in up.tree()
        for part in parts
        if part in process.cmdline()
    }
    assert told == dict.fromkeys(parts, up.web_url)


def test_deployments_stand_in_prefect(up):
    """The deployments of prefect.yaml are registered, with their schedules and described parameters."""
    found = up.prefect.call("POST", "/deployments/filter").json()
    answer = {
        one["name"]: [[each["slug"], each["active"]] for each in one["schedules"]]
        + [one["pull_steps"], one["work_pool_name"]]
        for one in found
        if "syncline" in one["tags"]
    }

    assert answer == {
        "weekly": [["weekly", True], [], "syncline"],
        "every-15-minutes": [["every-15-minutes", True], [], "syncline"],
        "hourly": [["hourly", True], [], "syncline"],
        "on-event": [[], "syncline"],
    }


def test_deploying_again_changes_nothing(up):
    """`deploy` again keeps every deployment and its one schedule."""
    before = _schedules(up)

    done = up.run("deploy", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["changed"] is True
    assert _schedules(up) == before


def _schedules(up):
    return sorted([one["id"], len(one["schedules"])] for one in up.prefect.call("POST", "/deployments/filter").json())


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=["SIGTERM", "Ctrl-C twice"])
@thorough
def test_stops_whole(own_up, signals):
    """After SIGTERM, or Ctrl-C twice, no process is left within ten seconds, and the exit code is 0."""
    own_up.start()
    tree = own_up.tree()

    code, seconds = own_up.stop(*signals)

    assert code == 0
    assert seconds < 10
    assert [process for process in tree if process.is_running()] == []
    assert not (own_up.home / "run.json").exists()
