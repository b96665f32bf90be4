"""Every command that a document shows is one that can be typed: its options exist and its arguments fit.

The commands of the quickstart and the queries are run (tests/acceptance/test_quickstart.py), and so are the API's calls
(test_calls.py) and the guide for a connector (test_new_connector.py).
"""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from cli.main import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
BEFORE, REST = r"(?:^|=|&& |\$\(|\| )", r"""(?:"[^"]*"|[^|)<>#;&])*"""
OURS = r"(?:\.venv/bin/|/srv/syncline/\.venv/bin/)?syncline "


def _shown(document, pattern):
    """What stands in blocks of code, a line each, and in code within text."""
    text = document.read_text()
    blocks = re.findall(r"^```(?:sh|bash|ini|text|)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for line in lines + inline:
        yield from re.findall(BEFORE + pattern + REST, line.removeprefix("$ ").strip())


COMMANDS = sorted({(path.name, re.split(OURS, found)[1].strip()) for path in DOCUMENTS for found in _shown(path, OURS)})


@pytest.mark.parametrize(("document", "line"), COMMANDS)
def test_it_can_be_typed(document, line):
    """The command line takes it as it is written; the mere name of a command may lack what it would need."""
    command, words = typer.main.get_command(app), shlex.split(line)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands
        command = command.commands[words.pop(0)]
    if words not in ([], ["--help"]):
        assert not command.make_context("syncline", words).args
