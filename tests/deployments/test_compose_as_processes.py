"""The services of deployments/compose.yaml as processes of this machine: their own commands, settings, health checks.

What is left untried by it is the container engine alone: images, volumes and the network between them.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet

from tests.fixtures.database import at
from tests.fixtures.sizes import thorough

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "deployments/compose.yaml").read_text())["services"]
IMAGE = dict(re.findall(r"^\s+(?:ENV )?([A-Z_]+)=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
START, CHECK = map(json.loads, re.findall(r"^ *CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
TOKEN = "an-admin-token-for-this-test-alone-0123456789"
PUBLIC = "https://app.example.com"
SECONDS = 120

pytestmark = pytest.mark.timeout(300)


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Composed:
    """The services, with this machine's ports for those in containers."""

    def __init__(self, postgres, folder, **beside):
        self.postgres, self.folder, self.beside = postgres, folder, beside
        self.ports = {name: str(_free_port()) for name in ("prefect", "worker", "web-1", "web-2")}
        self.filled_in = {
            "POSTGRES_PASSWORD": "unused",
            "SYNCLINE_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "SYNCLINE_ADMIN_TOKEN": TOKEN,
            "SYNCLINE_PUBLIC_URL": PUBLIC,
            "PREFECT_AUTH": "syncline:a password",
        }
        self.running = {}

    def environment(self, service):
        """What the image and the service set, and nothing of this machine's but where programs and files are."""
        own = {key: self._here(service, value) for key, value in SERVICES[service]["environment"].items()}
        homes = {key: str(self.folder / service / key) for key in IMAGE if key.endswith("_HOME")}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        here = {"PATH": path, "HOME": str(self.folder), "NO_PROXY": "*", "PYTHONDONTWRITEBYTECODE": "1"}
        return here | IMAGE | own | homes | self.beside | {"PREFECT_WORKER_WEBSERVER_PORT": self.ports["worker"]}

    def _here(self, service, value):
        filled = re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda m: self.filled_in.get(m[1], m[2] or ""), value)
        for name, scheme in (("syncline", "postgresql"), ("prefect", "postgresql+asyncpg")):
            if re.fullmatch(rf"{re.escape(scheme)}://\S+@postgres:5432/{name}", filled):
                return at(self.postgres, f"composed_{name}").replace("postgresql:", f"{scheme}:")
        return filled.replace("prefect:4200", f"127.0.0.1:{self.ports['prefect']}")

    def _command(self, service, command):
        port = {"prefect": "4200", "worker": "8080", "web-1": "8000", "web-2": "8000"}.get(service, "")
        return [
            word.replace("0.0.0.0", "127.0.0.1").replace(port or "-", self.ports.get(service, "-")) for word in command
        ]

    def run(self, service, command):
        """A command in the service's place, to its end."""
        folder = self.folder / service
        folder.mkdir(exist_ok=True)
        return subprocess.run(
            self._command(service, command),
            cwd=ROOT,
            env=self.environment(service),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )

    def start(self, service, command):
        """It is started, and healthy by its own check."""
        (self.folder / service).mkdir(exist_ok=True)
        with (self.folder / f"{service}.log").open("wb") as log:
            self.running[service] = subprocess.Popen(
                self._command(service, command), cwd=ROOT, env=self.environment(service), stdout=log, stderr=log
            )
        check = SERVICES[service].get("healthcheck", {}).get("test", [])[1:] or CHECK
        deadline = time.monotonic() + SECONDS
        while (done := self.run(service, check)).returncode:
            said = (self.folder / f"{service}.log").read_text()
            assert self.running[service].poll() is None, said
            assert time.monotonic() < deadline, f"{said}\n{done.stderr}"
            time.sleep(0.5)

    def ask(self, service, method, path, **sent):
        """What the proxy in front of the replicas would be answered."""
        url = f"http://127.0.0.1:{self.ports[service]}{path}"
        headers = {"Host": PUBLIC.removeprefix("https://"), "Authorization": f"Bearer {TOKEN}"}
        return httpx.request(method, url, headers=headers, trust_env=False, verify=False, timeout=60, **sent)

    def stop(self):
        for process in reversed(self.running.values()):
            process.terminate()
        for process in self.running.values():
            process.wait(30)


@pytest.fixture
def composed(embedded_postgres, sandbox, tmp_path):
    with psycopg.connect(embedded_postgres, autocommit=True) as conn:
        conn.execute("CREATE DATABASE composed_syncline")
        conn.execute("CREATE DATABASE composed_prefect")
    it = Composed(embedded_postgres, tmp_path, SYNCLINE_STRIPE_API_URL=sandbox.stripe_api_url)
    yield it
    it.stop()


@thorough
def test_everything_comes_up_and_a_run_is_done(composed, provider):
    """Each service becomes healthy; what one replica starts a worker runs, and the other replica shows."""
    provider.load("customers", 30)
    composed.start("prefect", SERVICES["prefect"]["command"])
    prepared = composed.run("prepare", SERVICES["prepare"]["command"])
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    composed.start("worker", SERVICES["worker"]["command"])
    composed.start("web-1", START)
    composed.start("web-2", START)

    connecting = {"connector": "stripe", "user_id": "42", "credentials": {"api_key": provider.key}}
    answer = composed.ask("web-1", "POST", "/api/v1/connections", json=connecting)
    assert answer.status_code == 201, answer.text
    path = f"/api/v1/connections/{answer.json()['id']}"

    deadline = time.monotonic() + SECONDS
    while not (runs := composed.ask("web-2", "GET", f"{path}/runs").json()["items"]) or not runs[0]["outcome"]:
        assert time.monotonic() < deadline, runs
        time.sleep(0.5)
    (status,) = composed.ask("web-2", "GET", "/api/v1/status").json()["connections"]
    assert (runs[-1]["outcome"], status["records"]) == ("done", 30)
    refused = httpx.get(
        f"http://127.0.0.1:{composed.ports['prefect']}/api/admin/version", trust_env=False, verify=False
    )
    assert refused.status_code == 401
