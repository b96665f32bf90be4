"""What prefect.yaml says, read without Prefect."""

import hashlib
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from deployments.errors import ProblemError


def prefect_file() -> Path:
    """prefect.yaml, beside the packages that it deploys."""
    spec = find_spec("flows")
    file = Path(spec.origin).parent.parent / "prefect.yaml" if spec and spec.origin else Path("prefect.yaml")
    if not file.exists():
        action = "Install Syncline from a checkout (`make install`), where prefect.yaml lies at the root."
        raise ProblemError("prefect_yaml_missing", f"{file} is missing.", action)
    return file


def items(file: Path) -> list[dict[str, Any]]:
    """The deployments as they stand in the file."""
    found: list[dict[str, Any]] = yaml.safe_load(file.read_text())["deployments"]
    return found


def flow_name(item: dict[str, Any]) -> str:
    """Flows are named after their functions, with dashes."""
    function: str = item["entrypoint"].rpartition(".")[2]
    return function.replace("_", "-")


def deployment_names(file: Path) -> list[str]:
    """For example full-sync/weekly."""
    return [f"{flow_name(item)}/{item['name']}" for item in items(file)]


def digest(file: Path) -> str:
    """Changes with the file, with the code of its flows (their parameters are in it) and with Prefect."""
    text = file.read_bytes() + metadata.version("prefect").encode()
    for item in items(file):
        module = file.parent / Path(*item["entrypoint"].split(".")[:-1]).with_suffix(".py")
        text += module.read_bytes() if module.exists() else b""
    return hashlib.sha256(text).hexdigest()
