"""The encryption keys: from SYNCLINE_ENCRYPTION_KEYS, else from a file under SYNCLINE_HOME.

The first key encrypts, all decrypt. The file is read whenever a key is needed, so a rotation need tell nobody.
"""

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from cryptography.fernet import Fernet

from storage import settings
from storage.errors import KeysUnusable

FILE = "encryption.keys"
VARIABLE = "SYNCLINE_ENCRYPTION_KEYS"


def generate() -> str:
    """A new key, as SYNCLINE_ENCRYPTION_KEYS takes it."""
    return Fernet.generate_key().decode()


def are_kept_here() -> bool:
    """Whether the keys are Syncline's own file rather than a setting."""
    return settings.storage_settings().encryption_keys is None


def load() -> tuple[Fernet, ...]:
    """The keys in use, the one that encrypts first; KeysUnusable, and never a part of a key, when there are none."""
    given = settings.storage_settings().encryption_keys
    if given is not None:
        return _parsed(given.get_secret_value().split(","), source=VARIABLE)
    return _parsed(read_file(), source=str(path()))


def exist() -> bool:
    """Whether there are any keys yet, good or garbled."""
    return not are_kept_here() or path().exists()


def may_be_made() -> bool:
    """Keys make themselves only for a database that is Syncline's own."""
    return are_kept_here() and settings.is_embedded()


def make_first() -> None:
    """There is a file with a key. Of several that make one at the same moment, one wins and all use it."""
    with tempfile.NamedTemporaryFile("w", dir=settings.home(), prefix=f"{FILE}.") as mine:  # 0600 from its first moment
        mine.write(generate() + "\n")
        _to_disk(mine)
        try:
            os.link(mine.name, path())
        except FileExistsError:
            return
    _folder_to_disk()


def read_file() -> list[str]:
    """The file's keys as they stand there."""
    try:
        return path().read_text(encoding="ascii").split()
    except FileNotFoundError:
        raise _missing() from None
    except (OSError, UnicodeDecodeError):
        raise _garbled(str(path())) from None


def write_file(keys: Sequence[str]) -> None:
    """The file holds exactly *keys*; whoever reads meanwhile sees the old ones or the new ones, whole."""
    beside = path().with_name(f"{FILE}.next")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(keys) + "\n")
        _to_disk(file)
    beside.replace(path())
    _folder_to_disk()


def path() -> Path:
    return settings.home() / FILE


def _parsed(keys: Iterable[str], *, source: str) -> tuple[Fernet, ...]:
    stripped = [key.strip() for key in keys]
    try:
        found = tuple(Fernet(key) for key in stripped if key)
    except ValueError:
        raise _garbled(source) from None
    if not found:
        raise _garbled(source)
    return found


def _garbled(source: str) -> KeysUnusable:
    return KeysUnusable(
        f"{source} holds something that is not an encryption key.",
        "Put the right keys back, separated by commas or lines; `syncline keys generate` shows what one looks like.",
    )


def _missing() -> KeysUnusable:
    if settings.is_embedded():
        return KeysUnusable(f"The encryption keys are missing: there is no {path()}.", "Put that file back.")
    return KeysUnusable(
        f"{VARIABLE} is not set, and it is needed with a database of your own.",
        f"Set {VARIABLE} to a key from `syncline keys generate`.",
    )


def _to_disk(file: IO[str]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _folder_to_disk() -> None:
    folder = os.open(settings.home(), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
