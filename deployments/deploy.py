"""What Syncline registers with a Prefect API: the work pool, the deployments of prefect.yaml, the automations.

Deploying again gives schedules new ids and can double a run, so it is done only when something changed.
"""

import asyncio
import contextlib
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from prefect.cli import app as prefect_cli
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.variables import Variable

from deployments.automations import put_automations
from deployments.errors import ProblemError
from deployments.work_pool import POOL, ensure_pool

DIGEST = "syncline_deployed"
"""A Prefect variable: what the deployments were made from."""


@dataclass(frozen=True)
class Registered:
    """What the Prefect API now knows."""

    work_pool: str
    deployments: list[str]
    changed: bool

    def __str__(self) -> str:
        return f"{len(self.deployments)} schedules{'' if self.changed else ', unchanged'}"


def register(*, always: bool = False) -> Registered:
    """Work pool, deployments and automations are there and up to date."""
    file = prefect_file()
    names = deployment_names(file)
    changed = always or asyncio.run(_is_stale(file, names))
    if changed:
        _deploy(file)
    asyncio.run(_finish(file, changed=changed))
    return Registered(POOL, names, changed)


def prefect_file() -> Path:
    """prefect.yaml beside the packages that it deploys."""
    spec = find_spec("flows")
    file = Path(spec.origin).parent.parent / "prefect.yaml" if spec and spec.origin else Path("prefect.yaml")
    if not file.exists():
        action = "Install Syncline from a checkout (`make install`), where prefect.yaml lies at the root."
        raise ProblemError("prefect_yaml_missing", f"{file} is missing.", action)
    return file


def deployment_names(file: Path) -> list[str]:
    """For example full-sync/weekly."""
    return [f"{flow}/{item['name']}" for item in _items(file) for flow in [_flow_name(item["entrypoint"])]]


def digest(file: Path) -> str:
    """Changes with the file, with the code of its flows (their parameters are in it) and with Prefect."""
    text = file.read_bytes() + metadata.version("prefect").encode()
    for item in _items(file):
        module = file.parent / Path(*item["entrypoint"].split(".")[:-1]).with_suffix(".py")
        text += module.read_bytes() if module.exists() else b""
    return hashlib.sha256(text).hexdigest()


def _items(file: Path) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = yaml.safe_load(file.read_text())["deployments"]
    return items


@cache
def _flow_name(entrypoint: str) -> str:
    """Flows are named after their functions, with dashes."""
    return entrypoint.rpartition(".")[2].replace("_", "-")


async def _is_stale(file: Path, names: list[str]) -> bool:
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


async def _finish(file: Path, *, changed: bool) -> None:
    async with get_client() as client:
        await ensure_pool(client)
        await put_automations(client, [_flow_name(item["entrypoint"]) for item in _items(file)], update=changed)
    if changed:
        await Variable.aset(DIGEST, digest(file), overwrite=True)
