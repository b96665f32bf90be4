"""Storage's own settings, where its files lie, and how `.env` and a folder of secrets fill the environment."""

import os
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage.errors import SettingsError

DATABASE_URL_FILE = "database.url"
"""Written under `home()` by whoever starts the embedded Postgres."""

SECRET_PREFIXES = ("SYNCLINE_", "PREFECT_")


class StorageSettings(BaseSettings):
    """What storage reads from the environment."""

    model_config = SettingsConfigDict(env_prefix="SYNCLINE_", hide_input_in_errors=True, env_ignore_empty=True)

    home: Path = Path(".syncline")
    """The folder of everything that is kept on this machine, 0700."""
    database_url: SecretStr | None = None
    """A database of your own, PostgreSQL 16 or newer; none: the embedded one."""
    encryption_keys: SecretStr | None = None
    """Fernet keys, separated by commas: the first encrypts, all decrypt. Generated while the database is embedded."""
    log_retention_days: int = Field(default=30, ge=1, le=36_500)
    """For requests and runs."""
    webhook_retention_days: int = Field(default=30, ge=1, le=36_500)
    """For events that were applied or ignored; those that wait or have failed are kept."""
    action_retention_days: int = Field(default=30, ge=1, le=36_500)
    """For the results of actions; that a key was used is never forgotten."""


def storage_settings() -> StorageSettings:
    """The settings as they are now, or SettingsError naming the first variable that is wrong."""
    try:
        return StorageSettings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = f"SYNCLINE_{first['loc'][0]}".upper()
        raise SettingsError(f"{name} is malformed: {first['msg'].lower()}.", f"Correct or remove {name}.") from None


def home() -> Path:
    """The folder of everything that Syncline keeps on this machine, made (0700) if it is not there."""
    path = storage_settings().home.expanduser().absolute()
    try:
        for missing in reversed([p for p in (path, *path.parents) if not p.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
        if path.stat().st_mode & 0o077 and path.stat().st_uid == os.geteuid():
            path.chmod(0o700)
    except OSError as error:
        raise SettingsError(
            f"The folder that SYNCLINE_HOME names cannot be used: {error.strerror}.",
            "Set SYNCLINE_HOME to a folder that this user may write.",
        ) from error
    if not path.is_dir():
        raise SettingsError("SYNCLINE_HOME names a file, not a folder.", "Set SYNCLINE_HOME to a folder.")
    return path


def is_embedded() -> bool:
    """Whether the database in use is the one that Syncline runs itself."""
    return storage_settings().database_url is None


def database_url() -> str:
    """Where the database is: as set, else where the embedded one says that it runs."""
    given = storage_settings().database_url
    if given is not None:
        return _checked(given.get_secret_value().strip())
    try:
        return (home() / DATABASE_URL_FILE).read_text().strip()
    except FileNotFoundError:
        raise SettingsError(
            "No database is running here and SYNCLINE_DATABASE_URL is not set.",
            "Start `syncline up`, or set SYNCLINE_DATABASE_URL.",
        ) from None


def _checked(url: str) -> str:
    try:
        conninfo_to_dict(url)
    except ProgrammingError:
        # The driver's own message repeats the address, and with it the password.
        raise SettingsError(
            "SYNCLINE_DATABASE_URL is not an address of a Postgres database.",
            "Write it as postgresql://user:password@host:port/database.",
        ) from None
    return url


def load_environment(dotenv: Path = Path(".env")) -> None:
    """Fill the environment from `.env`, then from SYNCLINE_SECRETS_DIR; what is set already stays."""
    for name, value in _read_dotenv(dotenv).items():
        os.environ.setdefault(name, value)
    folder = os.environ.get("SYNCLINE_SECRETS_DIR")
    for name, value in _read_secrets(Path(folder)).items() if folder else ():
        os.environ.setdefault(name, value)


def _read_dotenv(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            broken = next((b.original.line for b in parse_stream(stream) if b.error), None)
    except (FileNotFoundError, IsADirectoryError):
        return {}
    except (UnicodeDecodeError, PermissionError):
        raise SettingsError(f"{path} cannot be read as text.", "Write it as UTF-8, one NAME=value a line.") from None
    if broken is not None:
        raise SettingsError(f"{path} is garbled at line {broken}.", "Write one NAME=value a line.")
    return {k: v for k, v in dotenv_values(path, encoding="utf-8-sig").items() if v is not None}


def _read_secrets(folder: Path) -> dict[str, str]:
    try:
        files = [f for f in sorted(folder.iterdir()) if f.is_file() and f.name.upper().startswith(SECRET_PREFIXES)]
        return {f.name.upper(): f.read_text(encoding="utf-8").rstrip("\r\n") for f in files}
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            "The folder that SYNCLINE_SECRETS_DIR names cannot be read.",
            "Set it to a folder with one text file a variable.",
        ) from None
