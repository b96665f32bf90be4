"""A Unix socket's path may hold about 100 bytes; a longer folder is reached through a short link to it."""

import hashlib
import os
import re
import tempfile
from pathlib import Path

from deployments.errors import ProblemError

LONGEST = 100 - len("/.s.PGSQL.5432")  # sun_path is 108 bytes on Linux, 104 on macOS
PLAIN = re.compile(r"[\w./+=-]+", re.ASCII)  # libpq reads a comma as a list of hosts, @ as an abstract socket


def short_path(folder: Path) -> Path:
    """*folder*, or a link to it that a client can use: in a folder of our own (0700) under the temporary one."""
    if len(os.fsencode(folder)) <= LONGEST and PLAIN.fullmatch(str(folder)):
        return folder
    links = Path(tempfile.gettempdir()) / f"syncline-{os.geteuid()}"
    links.mkdir(mode=0o700, exist_ok=True)
    about = links.lstat()
    if links.is_symlink() or about.st_uid != os.geteuid() or about.st_mode & 0o077:
        raise ProblemError("unsafe_folder", f"{links} is open to others.", "Remove it, or set SYNCLINE_HOME shorter.")
    link = links / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    _point(link, folder)
    return link


def _point(link: Path, folder: Path) -> None:
    if link.is_symlink() and link.readlink() == folder:
        return
    new = link.with_name(f"{link.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(folder)
    new.replace(link)
