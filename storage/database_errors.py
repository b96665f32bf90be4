"""What Postgres and its driver say, as sentences for the person who runs Syncline. No password is ever in them."""

import psycopg
from psycopg.conninfo import conninfo_to_dict

from storage.errors import (
    DatabaseBusy,
    DatabaseReadOnly,
    DatabaseRefused,
    DatabaseUnreachable,
    DiskFull,
    SchemaMismatch,
    StorageError,
)

# https://www.postgresql.org/docs/current/errcodes-appendix.html
CONFLICT = {"40001", "40P01", "55P03"}
LOST = {"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"}
TOO_MANY = {"53300", "53400"}
NOT_MADE = {"42P01", "3F000"}


_LOGIN = (
    DatabaseRefused,
    "Postgres at {where} refuses this user name and password.",
    "Correct them in SYNCLINE_DATABASE_URL.",
)
LASTING: dict[str | None, tuple[type[StorageError], str, str]] = {
    "28P01": _LOGIN,
    "28000": _LOGIN,
    "3D000": (
        DatabaseRefused,
        "Postgres at {where} has no database of that name.",
        "Create it, or correct the name in SYNCLINE_DATABASE_URL.",
    ),
    "42501": (
        DatabaseRefused,
        "The database user lacks a right that Syncline needs.",
        "Let the user of SYNCLINE_DATABASE_URL own its database.",
    ),
    "53100": (DiskFull, "The database's disk is full.", "Make room on it; Syncline then goes on where it stopped."),
    "25006": (
        DatabaseReadOnly,
        "Postgres at {where} takes no changes: it is a standby or set to read only.",
        "Set SYNCLINE_DATABASE_URL to the primary.",
    ),
}

# A refused log-in has no code in the driver, only the server's words.
REFUSALS = (
    ("password authentication failed", "28P01"),
    ("no password supplied", "28P01"),
    ("no pg_hba.conf entry", "28000"),
    ("too many clients", "53300"),
    ("too many connections", "53300"),
    ("connection slots are reserved", "53300"),
    ("remaining connection slots", "53300"),
    ("database system is", "57P03"),
    ("role ", "28000"),
    ("database ", "3D000"),
)


def place(url: str) -> str:
    """host:port of *url*, and nothing else of it."""
    parts = conninfo_to_dict(url)
    host = str(parts.get("host") or parts.get("hostaddr") or "localhost")
    return f"{host}:{parts.get('port') or 5432}"


def sentence(error: psycopg.Error, where: str) -> StorageError | None:
    """*error* as a sentence; None for what is about the statement rather than about the database."""
    code = error.sqlstate or _refusal(error)
    return _lasting(code, where) or _passing(error, code, where)


def _lasting(code: str | None, where: str) -> StorageError | None:
    if code in NOT_MADE:
        return SchemaMismatch("A table of Syncline is missing in this database.", "Run `syncline migrate`.")
    if code not in LASTING:
        return None
    kind, said, action = LASTING[code]
    return kind(said.format(where=where), action)


def _passing(error: psycopg.Error, code: str | None, where: str) -> StorageError | None:
    if code in CONFLICT:
        return DatabaseBusy("The database was busy with other changes to the same rows.", "Try again in a moment.")
    if code in TOO_MANY:
        return DatabaseBusy(
            f"Postgres at {where} has no free connection left.",
            "Close others, or raise max_connections there, then try again.",
        )
    lost = code in LOST or (code is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError))
    if lost or (code or "").startswith("08"):
        return DatabaseUnreachable(
            f"Postgres at {where} cannot be reached.", "Check that it runs and that SYNCLINE_DATABASE_URL is right."
        )
    return None


def _refusal(error: psycopg.Error) -> str | None:
    words = str(error)
    if "FATAL" not in words:
        return None
    return next((code for part, code in REFUSALS if part in words), None)
