"""What a command other than `up` needs, for as long as it runs: the database, the Prefect API.

The embedded Postgres is started on demand. Several commands share it; the last one out stops it.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg

from deployments import postgres, run_file, web_settings
from deployments.errors import ProblemError
from deployments.home import held
from deployments.prefect_server import basic
from deployments.prefect_settings import auth_string, client_environment
from storage import settings

UP_SECONDS = 60.0


@contextmanager
def database_for_command(*, migrated: bool = True) -> Iterator[None]:
    """A database answers at `storage.settings.database_url()`; a brand-new embedded one has its tables too."""
    know_public_url()
    if not settings.is_embedded():
        yield
        return
    home = settings.home()
    try:
        with held(home / run_file.USERS, fcntl.LOCK_SH):
            _ensure_runs(home)
            if migrated and _is_new(settings.database_url()):
                _upgrade()
            yield
    finally:
        _stop_if_unused(home)


def prefect_for_command() -> None:
    """The environment leads Prefect's client to the Prefect API in use. To be called before Prefect is imported."""
    home = settings.home()
    url, auth = api_in_use(home)
    _refuse_silence(url, auth)
    os.environ.update(client_environment(home, url, auth))
    os.umask(0o077)  # Prefect keeps the exceptions of flows in files


def api_in_use(home: Path) -> tuple[str, str | None]:
    """The Prefect API's address and its auth string: as set, else of the `up` that runs; ProblemError if none does."""
    url, auth = os.environ.get("PREFECT_API_URL"), os.environ.get("PREFECT_API_AUTH_STRING")
    if url:
        return url, auth
    running = _wait_until_up(home)
    return running.prefect_api_url, auth_string(home) if running.prefect_is_ours else auth


def know_public_url() -> None:
    """SYNCLINE_PUBLIC_URL says where the web application is that runs here, unless it says something already."""
    running = run_file.read(settings.home())
    if running and running.web_url and not os.environ.get("SYNCLINE_PUBLIC_URL"):
        os.environ["SYNCLINE_PUBLIC_URL"] = running.web_url


def web_for_command() -> str:
    """The public address of the web application that answers; ProblemError if none does."""
    know_public_url()
    url = os.environ.get("SYNCLINE_PUBLIC_URL")
    action = "Start `syncline up` in another terminal."
    if not url:
        raise ProblemError("web_not_running", "The web application does not run here.", action)
    public = web_settings.public_url(url)
    try:
        httpx.get(f"{public}/healthz", timeout=10).raise_for_status()
    except httpx.HTTPError:
        action = "Start `syncline up`, or correct SYNCLINE_PUBLIC_URL."
        raise ProblemError("web_unreachable", f"No web application answers at {public}.", action) from None
    return public


def _wait_until_up(home: Path) -> run_file.Running:
    """What `up` runs, once it is ready; ProblemError if there is none."""
    deadline = time.monotonic() + UP_SECONDS
    running = run_file.read(home)
    while running and not running.ready and time.monotonic() < deadline:
        time.sleep(0.2)
        running = run_file.read(home)
    if running is None:
        action = "Start `syncline up` in another terminal, or set PREFECT_API_URL."
        raise ProblemError("prefect_not_running", "No Prefect API runs here.", action)
    return running


def _refuse_silence(url: str, auth: str | None) -> None:
    try:
        answer = httpx.get(f"{url}/admin/version", auth=basic(auth), headers=_key(), timeout=10)
    except httpx.HTTPError:
        action = "Start `syncline up`, or correct PREFECT_API_URL."
        raise ProblemError("prefect_unreachable", f"No Prefect API answers at {url}.", action) from None
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        action = "Correct PREFECT_API_AUTH_STRING or PREFECT_API_KEY."
        raise ProblemError("prefect_refused", f"The Prefect API at {url} refuses us.", action)


def _key() -> dict[str, str]:
    key = os.environ.get("PREFECT_API_KEY")
    return {"Authorization": f"Bearer {key}"} if key else {}


def _ensure_runs(home: Path) -> None:
    if run_file.read(home) is None or not postgres.is_running(home):
        postgres.start(home)


def _is_new(url: str) -> bool:
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT to_regclass('syncline.alembic_version')").fetchone()
    return row is None or row[0] is None


def _upgrade() -> None:
    from storage.migrate import upgrade  # noqa: PLC0415 -- heavy, and needed once

    upgrade()


def _stop_if_unused(home: Path) -> None:
    try:
        with held(home / run_file.USERS, fcntl.LOCK_EX | fcntl.LOCK_NB):
            postgres.stop(home)
    except BlockingIOError:
        return  # somebody still uses it
