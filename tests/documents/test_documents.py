"""The documents say what is there: error codes, links, failures."""

import ast
import re
from pathlib import Path

import pytest

from web.page_of_problems import MEANINGS

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
SAID = ("code", "error_code")
FAILING = {"ProblemError", "Failure"}


def _anchors(path, level="#+"):
    headings = re.findall(rf"^{level} (.+)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _codes(tree):
    """Every code that this module gives an error: a class attribute, a keyword, or the first word of a ProblemError."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("Error" in ast.unparse(base) or base for base in node.bases):
            yield from (
                part.value.value
                for part in node.body
                if isinstance(part, ast.Assign | ast.AnnAssign)
                and isinstance(part.value, ast.Constant)
                and "code" in ast.unparse(part).split("=")[0].split(":")[0].split()
            )
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rsplit(".", 1)[-1]
            if name in FAILING and node.args and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value
            yield from (
                keyword.value.value
                for keyword in node.keywords
                if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
            )


def test_every_error_code_has_its_place():
    """Whatever code an error shows, docs/troubleshooting.md has an anchor for it; and no anchor is left over."""
    codes = {
        code
        for package in ("connectors", "storage", "tasks", "flows", "deployments", "cli")
        for path in (ROOT / package).rglob("*.py")
        for code in _codes(ast.parse(path.read_text()))
        if isinstance(code, str)
    }
    places = _anchors(ROOT / "docs/troubleshooting.md", level="###")

    assert {code.replace("_", "-") for code in codes | set(MEANINGS)} == places


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    """A link to a file of the project finds it, and its anchor in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name) if name else document
        assert path.exists(), target
        assert not anchor or anchor in _anchors(path), target


def test_the_fault_matrix_is_complete():
    """Every file in tests/failures/ has its line in the README, and every line its file."""
    lines = set(re.findall(r"`tests/failures/(test_\w+\.py)`", (ROOT / "README.md").read_text()))

    assert lines == {path.name for path in (ROOT / "tests/failures").glob("test_*.py")}


def test_nothing_is_later_than_the_documents():
    """The documents name no command that does not exist."""
    from typer.main import get_command

    from cli.main import app

    known = set(get_command(app).commands)
    for document in DOCUMENTS:
        said = set(re.findall(r"(?:`|^|bin/)syncline ([a-z]+)", document.read_text(), flags=re.MULTILINE))
        assert said <= known, document.name


def test_the_tests_that_the_checklist_names_exist():
    """Each row of the security checklist names a test, a file of tests or a command, and the tests are there."""
    table = (ROOT / "docs/security.md").read_text().partition("## The checklist")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]

    assert len(rows) == 28
    for row in rows:
        shown = row.rsplit(" | ", 1)[1]
        assert "`" in shown, row
        for path, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", shown):
            assert not name or f"def {name}(" in (ROOT / path).read_text(), f"{path}::{name}"


def test_every_dependency_is_pinned_by_hash():
    """No line of a lock can be installed as anything but the file that was looked at."""
    for lock in ROOT.glob("requirements*.lock"):
        pinned = re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE)[1:]
        assert len(pinned) > 10
        assert [one.partition(" ")[0] for one in pinned if "--hash=sha256:" not in one or "==" not in one] == []


def test_the_limits_are_those_of_the_code():
    """The table of limits says what is in force."""
    from connectors import body, client
    from connectors.retry import patience
    from storage import batch, logins
    from tasks.workshop import DATABASE_CONNECTIONS
    from web import bodies

    table = (ROOT / "docs/security.md").read_text().partition("## Limits")[2].partition("\n## ")[0]

    for said in (
        f"{bodies.LARGEST // 2**20} MiB of body, {bodies.SECONDS:.0f} s to send it",
        f"{body.CAP // 2**20} MiB decoded, {patience().attempt:.0f} s to its last byte",
        f"for {patience().budget:.0f} s after its first failure",
        f"{client._CONNECTIONS.max_connections} per account",
        f"{DATABASE_CONNECTIONS} in a pool per web process and per run",
        f"about {batch.TRANSACTION_SECONDS * 1000:.0f} ms",
        f"{logins.TRIES_A_MINUTE} a minute for each client",
    ):
        assert said in table
