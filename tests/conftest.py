"""Every test starts from an environment without this machine's own settings; fixtures live in `tests/fixtures/`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

for name in [name for name in os.environ if name.startswith(("SYNCLINE_", "PREFECT_"))]:
    del os.environ[name]
os.environ |= {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}

pytest.register_assert_rewrite("tests.fixtures")  # they import each other in any order
pytest_plugins = [f"tests.fixtures.{path.stem}" for path in sorted(Path(__file__).parent.glob("fixtures/*.py"))]

WHOLE = ("test_up", "test_demo", "test_quickstart", "test_web_of_up", "test_compose_as_processes")
"""Files that put up everything: Postgres, Prefect's server, a worker and the web application."""


@pytest.fixture(autouse=True)
def _environment_as_before() -> Iterator[None]:
    """A command that is called in the test's own process sets variables for its own, which others would inherit."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ |= before


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that put up everything are spread among the others: side by side they would only wait for each other."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    heavy = [path for path in files if path.stem.startswith(WHOLE)]
    light = [path for path in files if path not in heavy]
    places = {len(light) * n // max(len(heavy), 1): path for n, path in enumerate(heavy)}
    order = [path for n, one in enumerate(light) for path in ([places[n]] if n in places else []) + [one]]
    order += [path for path in heavy if path not in order]
    items[:] = [item for path in order for item in files[path]]
