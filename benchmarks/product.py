"""Syncline as a person has it: an own home, `syncline up` in the background, one command after another."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from benchmarks.measure import ROOT, run

PRODUCT = [sys.executable, "-c", "from cli.main import main; main()"]
RAISED = '{"account": {"units": 1000000}, "endpoint": {"units": 1000000}}'
# Figures must not depend on whether a quarter of an hour begins while they are taken.
PAUSE = """
import asyncio
from deployments.parts import prefect_for_command
prefect_for_command()
from prefect.client.orchestration import get_client

async def pause():
    async with get_client() as client:
        for deployment in await client.read_deployments():
            await client.pause_deployment(deployment.id)

asyncio.run(pause())
"""

# A connection by a link wants a browser; what it stores in the end is this.
STORE = """
import json
import sys
from cli.opening import with_database
from storage import connections

async def store(db):
    connection, _ = await connections.upsert(db, mode="live", **json.loads(sys.argv[1]))
    return connection.id

print(with_database(store))
"""


class Product:
    """One home and what is done in it."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="sb"))
        self.environment = {"SYNCLINE_HOME": str(self.home / "h"), "NO_COLOR": "1"}

    def command(self, *arguments, may_fail=False, **settings):
        """`syncline …` to its end."""
        return run([*PRODUCT, *arguments], self.environment | settings, may_fail=may_fail)

    def python(self, program, *arguments, **settings):
        """A program beside the product, in its environment."""
        return run([sys.executable, "-c", program, *arguments], self.environment | settings)

    def connect(self, key, *, webhook_secret=False, **settings):
        """The id of a new connection; made while nothing is up, so that no full sync is started by it."""
        command = [*PRODUCT, "connect", "stripe", "--user", "bench", "--api-key-stdin"]
        command += ["--webhook-secret-stdin"] if webhook_secret else []
        environment = os.environ | self.environment | settings
        done = subprocess.run(
            command, input=key, text=True, capture_output=True, env=environment, cwd=ROOT, check=False
        )
        if done.returncode:
            raise SystemExit(f"connect ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def store(self, connection):
        """The id of a new connection with tokens that the sandbox gave without a browser."""
        return self.python(STORE, json.dumps(connection)).output.strip()

    @contextlib.contextmanager
    def up(self):
        """`syncline up` for as long as the block lasts, with its schedules paused; where its web application is."""
        port, web_port = free_port(), free_port()
        log = (self.home / "up.log").open("w+")
        process = subprocess.Popen(
            [*PRODUCT, "up", "--port", str(web_port), "--prefect-port", str(port)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | self.environment,
            cwd=ROOT,
        )
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("ready"):
                    break
            else:
                raise SystemExit("up did not come up:\n" + "".join(lines) + (self.home / "up.log").read_text())
            self.python(PAUSE)
            yield f"http://127.0.0.1:{web_port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            process.stdout.close()
            log.close()

    @property
    def url(self):
        """The address of the database in use."""
        return (self.home / "h" / "database.url").read_text().strip()

    @property
    def token(self):
        """The admin token."""
        return (self.home / "h" / "admin.token").read_text().strip()

    def database(self, name):
        """The address of an empty database of that name in the same Postgres."""
        url = self.url
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            conn.execute(f"CREATE DATABASE {name}")
        return urlsplit(url)._replace(path=f"/{name}").geturl()

    def ended(self, run_id):
        """When that run ended, in seconds since 1970."""
        return float(self._one("SELECT extract(epoch FROM ended_at) FROM syncline.sync_run WHERE id = %s", run_id))

    def runs_done(self):
        """How many syncs have ended well in this home."""
        return self._one("SELECT count(*) FROM syncline.sync_run WHERE outcome = 'done'")

    def _one(self, query, *values):
        with psycopg.connect(self.url) as conn:
            return conn.execute(query, values).fetchone()[0]

    def forget(self):
        """The home and all that was in it are gone."""
        end = time.monotonic() + 15
        while self.home.exists() and time.monotonic() < end:
            shutil.rmtree(self.home, ignore_errors=True)  # Postgres may still be putting its last files away
            time.sleep(0.1)


def free_port():
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
