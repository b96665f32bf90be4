import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from deployments import postgres, unprivileged
from storage.database import open_database
from storage.errors import DiskFull


@pytest.fixture
def own_home():
    """A home whose Postgres a test may kill."""
    home = Path(tempfile.mkdtemp(prefix="sy"))
    yield home
    postgres.stop(home)
    shutil.rmtree(home)


@pytest.fixture
def small_disk():
    """A folder of 8 MB that Postgres may write to."""
    folder = Path(tempfile.mkdtemp(prefix="sy"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=711", "tmpfs", folder], check=False)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("only root may mount a small disk")
    (folder / "space").mkdir(mode=0o700)
    unprivileged.give(folder / "space")
    yield folder
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


async def test_a_killed_postgres_is_found_again(own_home):
    """kill -9 of the postmaster under load: all work gets done, within 15 s of its coming back, on the same pool."""
    server = postgres.start(own_home, die_with_parent=True)
    done = []

    async def work(n):
        async def add():
            async with db.transaction() as conn:
                await conn.execute("INSERT INTO done VALUES (%s) ON CONFLICT DO NOTHING", [n])

        await db.repeat(add)
        done.append(n)

    async with open_database((own_home / "database.url").read_text()) as db:
        async with db.connection() as conn:
            await conn.execute("CREATE TABLE done (n int PRIMARY KEY)")
        tasks = [asyncio.create_task(work(n)) for n in range(200)]
        await asyncio.sleep(0.05)
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.to_thread(server.wait)
        again = await asyncio.to_thread(postgres.start, own_home, die_with_parent=True)
        back = time.monotonic()
        await asyncio.gather(*tasks)
        seconds = time.monotonic() - back
        async with db.connection() as conn:
            stored = [row["n"] async for row in await conn.execute("SELECT n FROM done ORDER BY n")]

    await asyncio.to_thread(postgres.stop, own_home)
    again.wait()
    assert sorted(done) == stored == list(range(200))
    assert seconds < 15


async def test_a_full_disk_loses_nothing_and_is_left_behind(db, database_url, small_disk):
    """What does not fit is refused as a whole with a sentence; once there is room the same work goes through."""
    filler = small_disk / "filler"
    space = f"small_{os.getpid()}"
    async with db.connection() as conn:
        await conn.execute(f"CREATE TABLESPACE {space} LOCATION '{small_disk / 'space'}'")
        await conn.execute(f"CREATE TABLE stored (n int, body text) TABLESPACE {space}")
        await conn.execute("INSERT INTO stored VALUES (0, 'before')")
    filler.write_bytes(bytes(6_000_000))

    async def work():
        async with db.transaction() as conn:
            await conn.execute("INSERT INTO stored SELECT n, repeat('x', 1000) FROM generate_series(1, 4000) AS n")

    with pytest.raises(DiskFull, match="Make room"):
        await db.repeat(work)
    async with db.connection() as conn:
        left = await (await conn.execute("SELECT n, body FROM stored")).fetchall()
    filler.unlink()
    await db.repeat(work)

    async with db.connection() as conn:
        rows = await (await conn.execute("SELECT count(*) AS n FROM stored")).fetchone()
        await conn.execute("DROP TABLE stored")
        await conn.execute(f"DROP TABLESPACE {space}")
    assert left == [{"n": 0, "body": "before"}]
    assert rows == {"n": 4001}
