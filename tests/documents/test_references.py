"""The references that are made from the code."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def references():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SYNCLINE_ADMIN_TOKEN", "for-the-document-alone-0123456789abcdef")
        environment.setenv("SYNCLINE_DATABASE_URL", "postgresql://nobody@localhost/nothing")
        yield module.references()


@pytest.mark.parametrize("name", ["cli.md", "settings.md", "schema.md", "api.md"])
def test_they_say_what_the_code_says(references, name):
    """Each is what `make docs` makes of the code as it is now."""
    assert (ROOT / "docs/reference" / name).read_text() == references[name], "run `make docs`"
