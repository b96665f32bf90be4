import asyncio
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine

from storage import migrate, runs
from storage.errors import DatabaseUnreachable, SchemaMismatch
from storage.locks import write_lock
from storage.migrate import revisions, upgrade
from storage.models import ControlTable
from tests.fixtures.database import at

# For every number it is told, upgrades in a process of its own that dies of kill -9 after so many statements.
DIES = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from storage import migrate, models

left = 0

@event.listens_for(Engine, "after_cursor_execute")
def die(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

migrate.FOLDER = Path(sys.argv[2])
for line in sys.stdin:
    left = int(line)
    if (child := os.fork()) == 0:
        migrate.upgrade(sys.argv[1])
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

REVISIONS = sorted(path.stem[1:5] for path in (migrate.FOLDER / "versions").glob("r*.py"))
NEXT_REVISION = f'''
"""Note something about connections."""

from alembic import op
import sqlalchemy as sa

revision = "9999"
down_revision = "{REVISIONS[-1]}"


def upgrade() -> None:
    op.add_column("connection", sa.Column("note", sa.Text(), server_default="new"), schema="syncline")
    op.create_index("connection_note_idx", "connection", ["note"], schema="syncline")
'''

CATALOG = """
    SELECT 'column', table_name::text, column_name::text,
           concat_ws(' ', data_type, udt_name, is_nullable, column_default, identity_generation),
           col_description(format('%I.%I', table_schema, table_name)::regclass, ordinal_position)
    FROM information_schema.columns WHERE table_schema = 'syncline'
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid), NULL
    FROM pg_constraint WHERE connamespace = to_regnamespace('syncline')
    UNION ALL
    SELECT 'index', tablename::text, indexname::text, indexdef, NULL FROM pg_indexes WHERE schemaname = 'syncline'
    UNION ALL
    SELECT 'table', relname::text, NULL, NULL, obj_description(oid, 'pg_class')
    FROM pg_class WHERE relnamespace = to_regnamespace('syncline') AND relkind = 'r'
"""


def catalog(url):
    with psycopg.connect(url) as conn:
        rows = conn.execute(CATALOG).fetchall()
    return {row for row in rows if "alembic_version" not in row[1]}


@pytest.fixture
def next_release(tmp_path):
    """The migrations as a later release would bring them: with one more revision."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "r9999_note.py").write_text(NEXT_REVISION)
    return folder


def test_an_empty_database_is_brought_to_this_release(empty_database_url):
    """The first upgrade applies every revision, the second none."""
    assert revisions(empty_database_url).database is None

    assert upgrade(empty_database_url) == REVISIONS
    assert upgrade(empty_database_url) == []

    found = revisions(empty_database_url)
    assert found.database == found.code == REVISIONS[-1]


def test_the_models_and_the_migrations_say_the_same(migrated_template, empty_database_url):
    """Tables made from the models equal those made by the revisions: columns, constraints, indexes and comments."""
    with psycopg.connect(empty_database_url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA syncline")
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(empty_database_url))
    ControlTable.metadata.create_all(engine)
    engine.dispose()

    assert catalog(empty_database_url) == catalog(at(migrated_template, "migrated"))


def test_alembic_finds_nothing_to_do(database_url):
    """`alembic check` agrees that no model has moved on without a revision."""
    with migrate._connected(database_url) as connection:
        command.check(migrate._config(connection))


def test_every_table_tells_people_what_it_is(migrated_template):
    """A person in psql finds a comment on every control table."""
    silent = [row for row in catalog(at(migrated_template, "migrated")) if row[0] == "table" and not row[4]]

    assert silent == []


def test_two_replicas_at_once_migrate_once(empty_database_url):
    """Of several that start at the same moment one migrates; the others wait and find it done."""
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(upgrade, [empty_database_url] * 4))

    assert sorted(applied) == [[], [], [], REVISIONS]


def test_killed_anywhere_it_can_be_run_again(empty_database_url, next_release, monkeypatch):
    """kill -9 at ten statements of the way: the database stands at a whole revision each time, and gets there after."""
    monkeypatch.setattr(migrate, "FOLDER", next_release)
    whole = {None: set()}
    command_line = [sys.executable, "-c", DIES, empty_database_url, str(next_release)]
    with subprocess.Popen(command_line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as replica:
        for statement in (1, 2, 3, 5, 8, 13, 21, 34, 55, 5):
            print(statement, file=replica.stdin, flush=True)
            assert int(replica.stdout.readline()) == -signal.SIGKILL
            stands = revisions(empty_database_url).database
            assert catalog(empty_database_url) == whole.setdefault(stands, catalog(empty_database_url))
        replica.stdin.close()

    upgrade(empty_database_url)

    assert revisions(empty_database_url).database == "9999"
    assert ("index", "connection_note_idx") in {(row[0], row[2]) for row in catalog(empty_database_url)}


async def test_an_upgrade_under_load_loses_nothing(db, connection, database_url, next_release, monkeypatch):
    """A later release migrates while a sync writes: the sync goes on, and its rows are all there."""
    monkeypatch.setattr(migrate, "FOLDER", next_release)
    written = 0

    async def sync(done):
        nonlocal written
        async with runs.take_run(db, connection.id, mode="incremental", trigger="cli") as run:
            while not done.is_set():
                async with db.transaction() as conn:
                    await write_lock(conn, connection.id)
                    seq = await runs.fence(conn, run)
                    await conn.execute("UPDATE syncline.connection SET change_seq = %s", [seq + 1])
                written += 1
            await runs.end(db, run, "done", {})

    done = asyncio.Event()
    task = asyncio.create_task(sync(done))
    await asyncio.sleep(0.2)
    applied = await asyncio.to_thread(upgrade, database_url)
    await asyncio.sleep(0.2)
    done.set()
    await task

    async with db.connection() as conn:
        row = await (await conn.execute("SELECT change_seq, note FROM syncline.connection")).fetchone()
    assert applied == ["9999"]
    assert row == {"change_seq": written, "note": "new"}
    assert written > 20


def test_a_database_of_a_newer_release_is_refused(database_url, next_release, monkeypatch):
    """An older Syncline does not touch what a newer one made."""
    monkeypatch.setattr(migrate, "FOLDER", next_release)
    upgrade(database_url)
    monkeypatch.undo()

    for attempt in (upgrade, revisions):
        with pytest.raises(SchemaMismatch, match="newer Syncline"):
            attempt(database_url)


def test_an_unreachable_database_is_a_sentence():
    """Migrating without a database ends like every other command, and names no password."""
    with pytest.raises(DatabaseUnreachable, match=r"127\.0\.0\.1:1 cannot be reached") as caught:
        upgrade("postgresql://me:hunter2@127.0.0.1:1/x")

    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__}"
