"""The application as a process: how it starts, whom it believes, how it ends."""

import os
import signal
import subprocess
import sys
import time

import httpx
import pytest

from tests.fixtures.up import free_port

SECONDS = 60


@pytest.fixture
def server(web_environment, tmp_path):
    """`server(NAME="value")`: the running process, its address and its log."""
    started = []

    def server(**environment):
        port, log = free_port(), tmp_path / f"log-{len(started)}"
        command = [sys.executable, "-P", "-m", "web.server", "--alone", "--port", str(port)]
        with log.open("wb") as out:
            process = subprocess.Popen(command, env=os.environ | environment, stdout=out, stderr=out)
        started.append(process)
        return process, f"http://127.0.0.1:{port}", log

    yield server
    for process in started:
        process.kill()
        process.wait()


def _answers(process, url):
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return httpx.get(f"{url}/readyz", trust_env=False, verify=False)
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("it does not answer")


def test_forwarded_headers_are_believed_from_proxies_alone(server):
    """Without trusted proxies whoever connects is the client; from one of them, whom it names."""
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    seen = []
    for proxies in ("", "127.0.0.1", "10.0.0.0/8"):
        process, url, log = server(SYNCLINE_TRUSTED_PROXIES=proxies)
        assert _answers(process, url).status_code == 200
        httpx.get(f"{url}/docs?canary", headers=headers, trust_env=False, verify=False)
        seen.append([line.rpartition("client=")[2] for line in _lines(log, "route=/docs")])
        assert "canary" not in log.read_text()

    assert seen == [["127.0.0.1"], ["203.0.113.9"], ["127.0.0.1"]]


def test_whatever_a_proxy_names_is_one_line_of_the_log(server):
    """A client's name with an escape and a mark of direction in it is written out."""
    process, url, log = server(SYNCLINE_TRUSTED_PROXIES="127.0.0.1")
    assert _answers(process, url).status_code == 200
    headers = {"X-Forwarded-For": "\x1b[31mroot\x9b\xad"}
    httpx.get(
        f"{url}/docs", headers={name: value.encode("latin-1") for name, value in headers.items()}, trust_env=False
    )

    assert _lines(log, "route=/docs")[0].endswith(r"client=\x1b[31mroot\x9b\xad")


def _lines(log, part):
    """The log's lines that hold that, once there is one: it is written when the answer is on its way already."""
    deadline = time.monotonic() + SECONDS
    while not (found := [line for line in log.read_text().splitlines() if part in line]):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    return found


def test_ends_when_it_is_told_to(server):
    """SIGTERM ends it within a few seconds, though somebody holds a connection open."""
    process, url, _ = server()
    with httpx.Client(base_url=url, trust_env=False, verify=False) as client:
        assert _answers(process, url).status_code == 200
        client.get("/healthz")
        since = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(15)

    assert time.monotonic() - since < 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYNCLINE_ADMIN_TOKEN", "short-canary"),
        ("SYNCLINE_PUBLIC_URL", "canary"),
        ("SYNCLINE_DATABASE_URL", "postgresql://x:canary@127.0.0.1:9/x"),
    ],
)
def test_what_is_wrong_ends_the_start(server, name, value):
    """A bad setting, or a database that is not there, ends it with one sentence that holds no secret."""
    process, _, log = server(**{name: value})

    assert process.wait(SECONDS) != 0
    said = log.read_text()
    assert "Traceback" not in said
    assert "canary" not in said
    assert name in said or "cannot be reached" in said
