import importlib
from pathlib import Path

import pytest
import yaml
from prefect.cli.deploy._models import DeploymentConfig, PrefectYamlModel, RawScheduleConfig, WorkPoolConfig

from deployments.prefect_yaml import deployment_names, digest, items, prefect_file

OURS = {"definitions"}
"""Not Prefect's: where YAML anchors stand."""


def keys(model):
    return {field.alias or name for name, field in model.model_fields.items()}


@pytest.fixture
def said():
    return yaml.safe_load(prefect_file().read_text())


def test_every_key_is_one_that_prefect_reads(said):
    """Prefect ignores keys that it does not know: a misspelt one would silently do nothing."""
    assert set(said) - OURS - keys(PrefectYamlModel) == set()
    for deployment in said["deployments"]:
        assert set(deployment) - keys(DeploymentConfig) == set()
        assert set(deployment["work_pool"]) - keys(WorkPoolConfig) == set()
        for schedule in deployment.get("schedules", []):
            assert set(schedule) - keys(RawScheduleConfig) == set()
    PrefectYamlModel.model_validate(said)


def test_nothing_is_pulled_and_every_schedule_has_a_slug(said):
    """The worker's installed packages run, and deploying again changes schedules in place."""
    for deployment in said["deployments"]:
        assert deployment["pull"] == []
        assert all(schedule["slug"] for schedule in deployment.get("schedules", []))


@pytest.mark.parametrize("item", items(prefect_file()), ids=lambda item: item["name"])
def test_entrypoints_lead_to_flows_of_that_name(item):
    """Each entrypoint is a flow named after its function, each parameter is described."""
    module, _, function = item["entrypoint"].rpartition(".")
    flow = getattr(importlib.import_module(module), function)

    assert f"{flow.name}/{item['name']}" in deployment_names(prefect_file())
    assert all("description" in str(field) for field in flow.parameters.model_dump()["properties"].values())


def test_the_digest_follows_the_file(tmp_path):
    """Another file, another digest; the same file, the same."""
    copy = Path(tmp_path / "prefect.yaml")
    copy.write_text(prefect_file().read_text())
    before = digest(copy)

    copy.write_text(copy.read_text().replace("*/15", "*/10"))

    assert digest(copy) != before
    copy.write_text(prefect_file().read_text())
    assert digest(copy) == before
