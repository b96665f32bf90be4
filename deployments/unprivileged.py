"""How root runs what refuses to run as root.

The unprivileged user cannot enter SYNCLINE_HOME (0700), nor perhaps the folders above it, whose modes are not ours to
change. So the program is given the open folder (/proc/self/fd/…) instead of a path.
"""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deployments.errors import ProblemError

ACCOUNTS = ("postgres", "nobody")


def user_for(folder: Path) -> pwd.struct_passwd | None:
    """Who shall run it if it is not ourselves: the folder's owner, else an account that systems have."""
    if os.geteuid() != 0:
        return None
    if owner := folder.stat().st_uid:
        return pwd.getpwuid(owner)
    accounts = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(accounts[name] for name in ACCOUNTS if name in accounts)


def give(path: Path) -> None:
    """The folder or file belongs to whoever shall run it."""
    if user := user_for(path):
        os.chown(path, user.pw_uid, user.pw_gid)


@contextmanager
def opened(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """What to call *folder* on a program's command line, and the options of Popen to start it with."""
    user = user_for(folder)
    if user is None:
        yield str(folder), {"cwd": folder}
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        yield f"/proc/self/fd/{descriptor}", {"cwd": folder, "pass_fds": [descriptor], **who}
    finally:
        os.close(descriptor)


@contextmanager
def readable(text: str, folder: Path) -> Iterator[str]:
    """A file with *text* that only the user of *folder* may read, for as long as a program needs it."""
    with tempfile.NamedTemporaryFile("w", prefix="syncline-") as file:
        file.write(text)
        file.flush()
        if user := user_for(folder):
            os.fchown(file.fileno(), user.pw_uid, user.pw_gid)
        yield file.name


def executable(folder: Path, names: list[str], label: str) -> Path:
    """*folder*, or for root a copy of its parts *names* where others can reach them too."""
    if os.geteuid() != 0 or _everybody_may_enter(folder):
        return folder
    copy = Path(tempfile.gettempdir()) / f"syncline-{label}"
    if copy.exists():
        about = copy.lstat()
        if copy.is_symlink() or about.st_uid != 0 or about.st_mode & 0o022:
            raise ProblemError("unsafe_folder", f"{copy} is not root's own.", "Remove it, then start again.")
        return copy
    new = Path(tempfile.mkdtemp(prefix="syncline-"))
    for name in names:
        shutil.copytree(folder / name, new / name)
    new.chmod(0o755)  # programs only, for everybody to run
    new.rename(copy)
    return copy


def _everybody_may_enter(folder: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in (folder, *folder.parents))
