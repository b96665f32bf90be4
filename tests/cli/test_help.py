"""Help: every command has it, with one example, at once."""

import subprocess
import sys
import time

import pytest
import typer.main

from cli.main import app

GROUP = typer.main.get_command(app)


def _commands(group, prefix=()):
    for name, command in group.commands.items():
        yield (*prefix, name)
        if hasattr(command, "commands"):
            yield from _commands(command, (*prefix, name))


def _syncline(*arguments):
    command = [sys.executable, "-c", "from cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("command", [(), *_commands(GROUP)], ids=" ".join)
def test_every_command_has_help_with_one_example(command, run):
    """-h and --help say the same on stdout, end with one example and exit with 0."""
    short, long = run(*command, "-h"), run(*command, "--help")

    assert (short.code, short.err) == (0, "")
    assert short.out == long.out
    assert short.out.count("Example:") == (0 if command == ("keys",) else 1)


def test_help_is_there_at_once():
    """Help takes less than half a second, and Prefect is not imported for it."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        assert _syncline("--help").returncode == 0
        times.append(time.perf_counter() - started)

    assert min(times) < 0.5


def test_help_imports_nothing_heavy():
    """No command's module pulls in Prefect, a database driver or an HTTP client before it runs."""
    code = (
        "import sys, cli.main; "
        "heavy = {'prefect', 'sqlalchemy', 'psycopg', 'httpx', 'rich.console', 'pydantic'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)

    assert done.stdout.strip() == "[]"


def test_version():
    """--version prints name and version on stdout."""
    done = _syncline("--version")

    assert done.returncode == 0
    assert done.stdout.startswith("syncline ")
