"""Commands run in this process, with what they wrote and their exit code."""

from dataclasses import dataclass

import pytest

from cli import main, output


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys, monkeypatch):
    """`run("status", "--json")`: what that command said."""
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments):
        output.screen.cache_clear()
        output.paper.cache_clear()
        capsys.readouterr()
        code = main.run(list(arguments))
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    yield run
    output.screen.cache_clear()
    output.paper.cache_clear()
