"""The container files, which no container engine has run yet, name only what there is."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deployments/compose.yaml"
CONTRACT = json.loads((ROOT / "docs/contract.json").read_text())


def test_compose_names_what_there_is():
    """Every setting exists, every command is one of ours or Prefect's, and every service waits for what it needs."""
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    settings = {name for service in services.values() for name in service["environment"] if name.startswith("SYNCLINE")}

    assert settings
    assert settings <= set(CONTRACT["settings"])
    for command in re.findall(r"syncline (\w+)", " ".join(map(str, services["prepare"]["command"]))):
        assert command in CONTRACT["commands"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
    assert all("healthcheck" in services[name] for name in ("postgres", "prefect", "worker"))


def test_every_secret_comes_from_outside():
    """No secret stands in the file, and what must be set is asked for in the example."""
    text = COMPOSE.read_text()
    needed = set(re.findall(r"\$\{(\w+):\?\}", text))
    example = (ROOT / "deployments/compose.env.example").read_text()

    assert {"POSTGRES_PASSWORD", "SYNCLINE_ENCRYPTION_KEYS", "SYNCLINE_ADMIN_TOKEN", "PREFECT_AUTH"} <= needed
    assert needed <= set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def test_prefects_settings_exist():
    """Each of Prefect's variables in the container files is one that Prefect reads."""
    from prefect import settings

    named = set(re.findall(r"\bPREFECT_[A-Z_]+\b", COMPOSE.read_text() + (ROOT / "Dockerfile").read_text()))

    assert [name for name in sorted(named - {"PREFECT_AUTH"}) if not hasattr(settings, name)] == []


def test_the_image_holds_every_package():
    """Each package of the product is copied into the image, and the user in it is not root."""
    text = (ROOT / "Dockerfile").read_text()
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}

    assert packages == set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    assert re.search(r"^USER syncline$", text, re.MULTILINE)
