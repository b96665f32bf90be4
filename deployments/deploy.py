"""What Syncline registers with a Prefect API: the work pool, the deployments of prefect.yaml, the automations.

Deploying again gives schedules new ids and can double a run, so it is done only when something changed.
"""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prefect.cli import app as prefect_cli
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.variables import Variable

from deployments.automations import put_automations
from deployments.errors import ProblemError
from deployments.limits import switch_on_limits
from deployments.prefect_yaml import deployment_names, digest, flow_name, items, prefect_file
from deployments.work_pool import POOL, ensure_pool

DIGEST = "syncline_deployed"
"""A Prefect variable: what the deployments were made from."""


@dataclass(frozen=True)
class Registered:
    """What the Prefect API now knows."""

    work_pool: str
    deployments: list[str]
    limits: int
    changed: bool

    def __str__(self) -> str:
        return f"{len(self.deployments)} schedules{'' if self.changed else ', unchanged'}, {self.limits} limits"


def register(*, always: bool = False) -> Registered:
    """Work pool, deployments, limits and automations are there and up to date."""
    file = prefect_file()
    names = deployment_names(file)
    stale = asyncio.run(_ensure_pool_and_look(file, names))
    changed = always or stale
    if changed:
        _deploy(file)
    limits = asyncio.run(_finish(file, changed=changed))
    return Registered(POOL, names, limits, changed)


async def _ensure_pool_and_look(file: Path, names: list[str]) -> bool:
    """The work pool exists, without which nothing can be deployed; whether that has to be done."""
    async with get_client() as client:
        await ensure_pool(client)
        missing = [name for name in names if not await _exists(client, name)]
    return bool(missing) or await Variable.aget(DIGEST) != digest(file)


async def _exists(client: PrefectClient, name: str) -> bool:
    try:
        await client.read_deployment_by_name(name)
    except ObjectNotFound:
        return False
    return True


def _deploy(file: Path) -> None:
    """`prefect deploy --all`, in this process: its imports are the slow part and are done by now."""
    try:
        with (
            contextlib.redirect_stdout(sys.stderr),
            _arguments("--no-prompt", "deploy", "--all", "--prefect-file", str(file)),
        ):
            prefect_cli()
    except SystemExit as end:
        if end.code:
            action = "Read what Prefect says above, or in the log of `syncline up`."
            raise ProblemError("deploy_failed", "The deployments could not be registered.", action) from None


@contextlib.contextmanager
def _arguments(*arguments: str) -> Iterator[None]:
    before = sys.argv
    sys.argv = ["prefect", *arguments]
    try:
        yield
    finally:
        sys.argv = before


async def _finish(file: Path, *, changed: bool) -> int:
    async with get_client() as client:
        await ensure_pool(client)
        await put_automations(client, [flow_name(item) for item in items(file)], update=changed)
        limits = await switch_on_limits(client)
    if changed:
        await Variable.aset(DIGEST, digest(file), overwrite=True)
    return limits
