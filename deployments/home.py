"""What lies in SYNCLINE_HOME: nothing there is for anybody else to read, whatever the umask.

Folders are 0700, files 0600. Folders above SYNCLINE_HOME are left as they are.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


def private_folder(path: Path) -> Path:
    """The folder exists and only its owner may enter; missing folders above it are made as private."""
    if not path.parent.exists():
        private_folder(path.parent)
    path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    if path.stat().st_mode & 0o777 != PRIVATE_FOLDER:
        path.chmod(PRIVATE_FOLDER)
    return path


def open_private(path: Path, flags: int) -> int:
    """A file descriptor of a file that only its owner may read."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    os.fchmod(descriptor, PRIVATE_FILE)
    return descriptor


def write_private(path: Path, text: str) -> None:
    """The file holds *text*, whole or not at all, even if the power goes now."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(open_private(new, os.O_WRONLY | os.O_EXCL), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def kept_secret(path: Path, generate: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> str:
    """The secret in *path*, made on first use."""
    with locked(path.with_name(f"{path.name}.lock")):
        if not path.exists():
            write_private(path, generate())
        return path.read_text().strip()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process at a time is inside; the system frees the lock of one that dies."""
    with held(path, fcntl.LOCK_EX):
        yield


@contextmanager
def held(path: Path, kind: int) -> Iterator[int]:
    """A lock on *path* of the given kind (fcntl.LOCK_…); BlockingIOError if LOCK_NB is asked and it is taken."""
    descriptor = open_private(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)


def is_taken(path: Path) -> bool:
    """Does somebody hold the exclusive lock on *path*?"""
    if not path.exists():
        return False
    try:
        with held(path, fcntl.LOCK_SH | fcntl.LOCK_NB):
            return False
    except BlockingIOError:
        return True
