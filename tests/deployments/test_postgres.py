import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest

from deployments import postgres, postmaster
from deployments.errors import ProblemError
from deployments.home import private_folder
from deployments.socket_path import LONGEST


@pytest.fixture
def home():
    parent = Path(tempfile.mkdtemp(prefix="sy"))
    yield parent / "home"
    shutil.rmtree(parent)


@pytest.fixture
def start(home):
    """Starts Postgres in a home; all of them are stopped afterwards."""
    started = []

    def begin(folder):
        process = postgres.start(folder)
        started.append((folder, process))
        return process

    yield begin
    for folder, process in started:
        postmaster.stop(folder / "postgres", 5)
        if process is not None:
            process.wait()


def modes(path):
    return {above: stat.S_IMODE(above.stat().st_mode) for above in path.parents}


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_nobody_else_can_reach_it(start, home, umask):
    """Whatever the umask: home 0700, files 0600, the socket in a 0700 folder, folders above as they were."""
    before = modes(home)
    old = os.umask(umask)
    try:
        start(home)
    finally:
        os.umask(old)

    assert [p for p in (home, *home.rglob("*")) if stat.S_IMODE(p.stat().st_mode) & 0o077] == []
    assert (home / "postgres" / ".s.PGSQL.5432").is_socket()
    assert modes(home) == before


def test_asks_for_a_password(start, home):
    """Even who reaches the socket needs the generated password."""
    start(home)
    url = postgres.Cluster(home).url()
    password = (home / "postgres.password").read_text()

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "wrong"))


def test_has_no_tcp_port(start, home):
    """The socket is the only door."""
    start(home)

    assert postmaster.running(home / "postgres").net_connections("inet") == []


def test_holds_both_databases(start, home):
    """One database for Syncline, one for Prefect, and the settings that the loader counts on."""
    start(home)

    with psycopg.connect((home / "database.url").read_text()) as conn:
        databases = {name for (name,) in conn.execute("SELECT datname FROM pg_database")}
        said = dict(conn.execute("SELECT name, setting FROM pg_settings").fetchall())
    assert {"syncline", "prefect"} <= databases
    wanted = {"max_connections": "200", "jit": "off", "TimeZone": "UTC", "synchronous_commit": "on"}
    assert {name: said[name] for name in wanted} == wanted


def test_starting_again_keeps_it(start, home):
    """A second start finds it running; after a stop and a start the data is there."""
    assert start(home) is not None
    with psycopg.connect((home / "database.url").read_text()) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    assert start(home) is None
    postgres.stop(home)
    assert not postgres.is_running(home)
    start(home)

    with psycopg.connect((home / "database.url").read_text()) as conn:
        assert conn.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_long_path_is_shortened(start, home):
    """Where the home's path is too long for a socket, or holds what libpq would misread, a short link leads there."""
    deep = home / ("a folder, with a long name " * 5) / "home"
    start(deep)

    url = (deep / "database.url").read_text()
    folder = Path(psycopg.conninfo.conninfo_to_dict(url)["host"])
    assert len(os.fsencode(folder)) <= LONGEST
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)
    folder.unlink()


def test_an_unreadable_parent_does_not_matter(start, home):
    """A home inside a folder that only its owner may enter works, and the folder stays as it is."""
    shut = private_folder(home)

    start(shut / "inner")

    assert postgres.is_running(shut / "inner")
    assert stat.S_IMODE(shut.stat().st_mode) == 0o700


def test_a_killed_postmaster_is_recovered(start, home):
    """A postmaster killed with -9, still a zombie, with its pid file and backends left, does not stop a new start."""
    process = start(home)
    busy = psycopg.connect((home / "database.url").read_text(), autocommit=True)
    busy.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    process.send_signal(signal.SIGKILL)

    again = start(home)

    assert again is not None
    assert process.wait() == -signal.SIGKILL
    with psycopg.connect((home / "database.url").read_text()) as conn:
        assert conn.execute("SELECT answer FROM kept").fetchone() == (42,)
    busy.close()


def test_a_reused_process_number_is_no_postmaster(start, home):
    """A pid file left by a crash that names some other living process does not stop the start."""
    start(home)
    noted = (home / "postgres" / "postmaster.pid").read_text().splitlines()
    postgres.stop(home)
    (home / "postgres" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *noted[1:]]) + "\n")

    assert start(home) is not None


def test_a_half_made_cluster_is_made_anew(start, home):
    """Killed while initdb ran: the next start begins afresh."""
    private_folder(home / "postgres.new")
    (home / "postgres.new" / "PG_VERSION").write_text("18\n")

    start(home)

    assert postgres.is_running(home)
    assert not (home / "postgres.new").exists()


def test_data_of_another_version_is_left_alone(start, home):
    """Data of an older Postgres is not touched; the sentence names both versions."""
    private_folder(home / "postgres")
    (home / "postgres" / "PG_VERSION").write_text("15\n")

    with pytest.raises(ProblemError, match="made by Postgres 15"):
        start(home)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a child that its parent is gone")
def test_dies_with_its_parent(home):
    """Started by `up`, it stops by itself when `up` is killed with -9."""
    code = "import sys, time; from pathlib import Path; from deployments import postgres\n"
    code += f"postgres.start(Path({str(home)!r}), die_with_parent=True); print('up', flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    parent.stdout.readline()
    postmaster_process = postmaster.running(home / "postgres")

    parent.kill()
    parent.wait()
    parent.stdout.close()

    psutil.wait_procs([postmaster_process], timeout=10)
    assert postmaster.running(home / "postgres") is None
