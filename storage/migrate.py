"""Bring the control tables to this code's revision: one transaction per revision, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from storage import database_errors, settings
from storage.errors import SchemaMismatch

FOLDER = Path(__file__).parent / "migrations"

# How long one replica waits for another that is migrating, and a revision for a table in use.
TAKE_TURN = """
    SET lock_timeout = '30min';
    SELECT pg_advisory_lock(hashtextextended('syncline:migrate', 0));
    SET lock_timeout = '60s';
    CREATE SCHEMA IF NOT EXISTS syncline;
"""


@dataclass(frozen=True, slots=True)
class Revisions:
    """Where the database stands (None: no migration yet), and where this code wants it."""

    database: str | None
    code: str


def upgrade(url: str | None = None) -> list[str]:
    """The database stands at this code's revision; the revisions that were applied. Killed, it can be run again."""
    with _connected(url) as connection:
        connection.execute(text(TAKE_TURN))
        connection.commit()
        config = _config(connection)
        before = _revisions(connection).database
        command.upgrade(config, "head")
        steps = ScriptDirectory.from_config(config).iterate_revisions("head", before or "base")
        return [step.revision for step in steps][::-1]


def revisions(url: str | None = None) -> Revisions:
    """Where database and code stand; SchemaMismatch when a newer Syncline made the database."""
    with _connected(url) as connection:
        return _revisions(connection)


def _revisions(connection: Connection) -> Revisions:
    scripts = ScriptDirectory.from_config(_config(connection))
    found = MigrationContext.configure(connection, opts={"version_table_schema": "syncline"}).get_current_revision()
    connection.commit()
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise SchemaMismatch(
            f"This database was made by a newer Syncline (revision {found}).", "Install that version or a later one."
        )
    return Revisions(database=found, code=scripts.get_current_head() or "")


@contextmanager
def _connected(url: str | None) -> Iterator[Connection]:
    """One connection that holds the lock and runs the revisions: whoever loses it loses both."""
    url = url or settings.database_url()
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: _connect(url),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        cause = error.orig
        told = database_errors.sentence(cause, database_errors.place(url)) if isinstance(cause, psycopg.Error) else None
        if told is None:
            raise
        raise told from cause


def _connect(url: str) -> psycopg.Connection[Any]:
    conn = psycopg.connect(url, application_name="syncline migrate", connect_timeout=10, autocommit=True)
    # A user named like our schema has it in front of its path, and Alembic would take our tables for nobody's.
    conn.execute("SET search_path = public")
    conn.autocommit = False
    return conn


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config
