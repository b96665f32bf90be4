"""`syncline sandbox`: every fake provider, and the settings that lead to them."""

import json
import signal
import socket
import subprocess
import sys

import httpx
import pytest

COMMAND = [sys.executable, "-c", "from cli.main import main; main()", "sandbox"]


@pytest.fixture
def start():
    """`start("--port", "0")`: the command runs; it ends with the test."""
    processes = []

    def start(*options):
        process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_it_prints_the_settings_that_lead_to_it(start):
    """As one JSON object; what it names answers until the command is told to end, with exit code 0."""
    process = start("--port", "0", "--json")
    settings = json.loads(process.stdout.readline())

    assert {name.split("_")[0] for name in settings} == {"SYNCLINE"}
    slack = httpx.get(f"{settings['SYNCLINE_SLACK_API_URL']}/api/auth.test", trust_env=False, verify=False)
    stripe = httpx.get(f"{settings['SYNCLINE_STRIPE_API_URL']}/v1/customers", trust_env=False, verify=False)
    assert slack.json()["error"] == "not_authed"
    assert stripe.status_code == 401
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert process.stdout.read() == ""


def test_the_settings_as_lines_for_a_shell(start):
    """What a shell makes of them is what JSON says."""
    process = start("--port", "0")
    lines = [process.stdout.readline() for _ in range(6)]

    read = subprocess.run(["sh", "-c", "".join(lines) + "env"], capture_output=True, text=True, check=True).stdout

    assert all(line.startswith("export SYNCLINE_") for line in lines)
    assert "SYNCLINE_SLACK_CLIENT_SECRET=sandbox-client-secret\n" in read


def test_a_port_that_is_taken(run):
    """One sentence, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run("sandbox", "--port", str(taken.getsockname()[1]), "--json")

    assert ran.code == 1
    assert json.loads(ran.out)["error"]["code"] == "port_busy"
