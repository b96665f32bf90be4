"""`syncline doctor`: everything that must be right, looked at one by one."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

import httpx

from connectors.errors import ConnectorError
from connectors.oauth import OAuthConnector
from connectors.registry import find_connectors
from deployments import web_settings
from deployments.check_settings import check_settings
from deployments.errors import ProblemError
from deployments.parts import api_in_use, database_for_command, know_public_url, web_for_command
from deployments.prefect_server import basic
from deployments.prefect_yaml import deployment_names, prefect_file
from storage import database, migrate, settings
from storage.errors import StorageError

CLOCK_SECONDS = 60  # signatures allow 300


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    state: Literal["ok", "warning", "failed"]
    detail: str
    action: str = ""


async def examine() -> list[Check]:
    """Each check, in the order in which one would mend them; none is left out because another failed."""
    know_public_url()
    found = [_told("settings", _settings), _told("home", _home), _told("redirect addresses", _redirects)]
    found += await asyncio.to_thread(_database)
    found += await asyncio.to_thread(_prefect)
    found.append(_told("webhook addresses", _webhooks))
    return [*found, await asyncio.to_thread(_told, "web", _web)]


def _told(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, "ok", look())
    except StorageError as error:
        return Check(name, "failed", error.sentence, error.action)
    except ConnectorError as error:
        return Check(name, "failed", str(error))
    except ProblemError as error:
        return Check(name, "failed", error.detail, error.action)
    except Exception as error:  # noqa: BLE001 -- the other checks are made all the same
        return Check(name, "failed", f"Something unforeseen: {type(error).__name__}.", "Try with SYNCLINE_DEBUG=1.")


def _settings() -> str:
    check_settings()
    return f"all are understood; connectors: {', '.join(find_connectors())}"


def _home() -> str:
    home = settings.home()
    if home.stat().st_mode & 0o077:
        raise ProblemError("home_open", f"{home} is open to other users.", f"Run: chmod 700 {home}")
    return str(home)


def _redirects() -> str:
    """What has to be registered at the providers whose users sign in there."""
    public = web_settings.load().public_url
    return ", ".join(
        f"{public}/connect/{name}/callback"
        for name, connector in find_connectors().items()
        if isinstance(connector, OAuthConnector)
    )


def _webhooks() -> str:
    """Where each provider pushes to; of some the connection's own address too."""
    public = web_settings.load().public_url
    addresses = [
        f"{public}/webhooks/{name}" + ("[/CONNECTION_ID]" if connector.webhooks.own_secret else "")
        for name, connector in find_connectors().items()
        if connector.webhooks
    ]
    return ", ".join(addresses)


def _web() -> str:
    return f"answers at {web_for_command()}"


def _database() -> list[Check]:
    checks: list[Check] = []

    def look() -> str:
        with database_for_command(migrated=False):
            where = asyncio.run(_open())
            checks.append(_told("migrations", _migrations))
        return where

    return [_told("database", look), *checks]


async def _open() -> str:
    async with database.open_database(max_size=1) as db, db.session() as conn:
        version = conn.info.server_version // 10_000
        return f"Postgres {version}, {'embedded' if settings.is_embedded() else db.where}"


def _migrations() -> str:
    there = migrate.revisions()
    if there.database != there.code:
        stands = there.database or "none yet"
        detail = f"The database is at revision {stands}, this code at {there.code}."
        raise ProblemError("schema_mismatch", detail, "Run `syncline migrate` or `syncline up`.")
    return f"up to date ({there.code})"


def _prefect() -> list[Check]:
    try:
        url, auth = api_in_use(settings.home())
        with httpx.Client(base_url=url, auth=basic(auth), headers=_headers(), timeout=10) as client:
            return [
                _told("prefect", lambda: _version(client, url)),
                _told("deployments", lambda: _deployments(client)),
                _told("worker", lambda: _worker(client)),
                _told("clock", lambda: _clock(client)),
            ]
    except ProblemError as error:
        return [Check("prefect", "failed", error.detail, error.action)]


def _headers() -> dict[str, str]:
    key = os.environ.get("PREFECT_API_KEY")
    return {"Authorization": f"Bearer {key}"} if key else {}


def _get(client: httpx.Client, path: str) -> httpx.Response:
    try:
        answer = client.get(path)
    except httpx.HTTPError:
        action = "Start `syncline up`, or correct PREFECT_API_URL."
        raise ProblemError("prefect_unreachable", f"No Prefect API answers at {client.base_url}.", action) from None
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        action = "Correct PREFECT_API_AUTH_STRING or PREFECT_API_KEY."
        raise ProblemError("prefect_refused", f"The Prefect API at {client.base_url} refuses us.", action)
    return answer


def _version(client: httpx.Client, url: str) -> str:
    return f"{_get(client, 'admin/version').text.strip(chr(34))} at {url}"


def _deployments(client: httpx.Client) -> str:
    names = deployment_names(prefect_file())
    missing = [name for name in names if _get(client, f"deployments/name/{name}").is_error]
    if missing:
        raise ProblemError("not_deployed", f"Not registered: {', '.join(missing)}.", "Run `syncline deploy`.")
    return ", ".join(names)


def _worker(client: httpx.Client) -> str:
    pool = _get(client, "work_pools/syncline")
    if pool.is_error:
        raise ProblemError("no_work_pool", "There is no work pool `syncline`.", "Run `syncline deploy`.")
    status = str(pool.json().get("status"))
    if status != "READY":
        action = "Start `syncline up`, or `prefect worker start --pool syncline`; resume the pool if it is paused."
        raise ProblemError("no_worker", f"No worker takes runs: the work pool is {status.lower()}.", action)
    return "takes runs"


def _clock(client: httpx.Client) -> str:
    """Against the Prefect API, the one other clock at hand."""
    said = _get(client, "health").headers.get("date")
    if said is None:
        return "nothing to compare it with"
    off = abs(parsedate_to_datetime(said).timestamp() - time.time())
    if off > CLOCK_SECONDS:
        raise ProblemError("clock_off", f"This clock and Prefect's differ by {off:.0f} s.", "Set the clock by NTP.")
    return "agrees with Prefect's"
