"""Every test starts from an environment without this machine's own settings; fixtures live in `tests/fixtures/`."""

import os
from pathlib import Path

import pytest

for name in [name for name in os.environ if name.startswith(("SYNCLINE_", "PREFECT_"))]:
    del os.environ[name]
os.environ |= {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}

pytest.register_assert_rewrite("tests.fixtures")  # they import each other in any order
pytest_plugins = [f"tests.fixtures.{path.stem}" for path in sorted(Path(__file__).parent.glob("fixtures/*.py"))]
