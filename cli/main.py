"""`syncline`: every command, and the one place that runs them.

Nothing heavy is imported before a command runs, so that --help answers at once.
"""

import os
import signal
import sys
from typing import Annotated

import typer

from cli import (
    actions,
    connect,
    connections,
    demo,
    deploy,
    doctor,
    keys,
    login,
    migrate,
    psql,
    rejected,
    sandbox,
    status,
    sync,
    up,
    webhooks,
)
from cli.examples import connector as example
from cli.grouped import Grouped

PLAIN = "--no-color"
START, CONNECTIONS, WEBHOOKS, OPERATE = "Start here", "Connections", "Webhooks", "Operate"

app = typer.Typer(
    name="syncline",
    help="Keep a live, correct copy of your users' third-party accounts in your own Postgres.",
    epilog="Example: syncline up",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    cls=Grouped,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:  # noqa: FBT001 -- Typer calls it with the flag
    if asked:
        from importlib.metadata import version

        from cli import output

        output.data(f"syncline {version('syncline')}")
        raise typer.Exit


@app.callback()
def syncline(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
    _plain: Annotated[bool, typer.Option(PLAIN, help="Plain text, as with NO_COLOR.")] = False,
) -> None:
    """Keep a live, correct copy of your users' third-party accounts in your own Postgres."""


PIPED_KEY = f"Example: syncline connect {example()} --user 42 --api-key-stdin < key.txt"

app.command("demo", rich_help_panel=START, epilog="Example: syncline demo --keep")(demo.demo)
app.command("up", rich_help_panel=START, epilog="Example: syncline up --prefect-port 4300")(up.up)
app.command("connect", rich_help_panel=START, epilog=PIPED_KEY)(connect.connect)
app.command("sync", rich_help_panel=START, epilog="Example: syncline sync 9be1 --full")(sync.sync)
app.command("login", rich_help_panel=START, epilog="Example: syncline login")(login.login)
app.command("status", rich_help_panel=CONNECTIONS, epilog="Example: syncline status --json")(status.status)
app.command("connections", rich_help_panel=CONNECTIONS, epilog="Example: syncline connections --user 42")(
    connections.connections
)
app.command("disconnect", rich_help_panel=CONNECTIONS, epilog="Example: syncline disconnect 9be1 --purge --yes")(
    connections.disconnect
)
app.add_typer(webhooks.app, name="webhooks", rich_help_panel=WEBHOOKS)
app.add_typer(rejected.app, name="rejected", rich_help_panel=CONNECTIONS)
app.add_typer(actions.app, name="actions", rich_help_panel=CONNECTIONS)
app.command("doctor", rich_help_panel=OPERATE, epilog="Example: syncline doctor --json")(doctor.doctor)
app.command("sandbox", rich_help_panel=OPERATE, epilog="Example: syncline sandbox --port 8100")(sandbox.sandbox)
app.command("psql", rich_help_panel=OPERATE, epilog="Example: syncline psql -c 'select 1'")(psql.psql)
app.command("migrate", rich_help_panel=OPERATE, epilog="Example: syncline migrate")(migrate.migrate)
app.command("deploy", rich_help_panel=OPERATE, epilog="Example: syncline deploy")(deploy.deploy)
app.add_typer(keys.app, name="keys", rich_help_panel=OPERATE)


HELP = frozenset({"-h", "--help", "--version", "--show-completion", "--install-completion"})


def _interrupt(*_: object) -> None:
    """A command that is told to end tidies up as with Ctrl-C: the Postgres that it started stops with it."""
    raise KeyboardInterrupt


def main() -> None:
    """Run one command and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; its exit code, whatever happens in it. `--no-color` may stand anywhere."""
    if PLAIN in arguments:
        os.environ["NO_COLOR"] = "1"
        arguments = [argument for argument in arguments if argument != PLAIN]
    for kind in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(kind, _interrupt)
    try:
        if arguments and not HELP.intersection(arguments):
            from storage.settings import load_environment

            load_environment()
        code = app(arguments, prog_name="syncline", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:  # noqa: BLE001 -- the single error path
        from cli.errors import report

        return report(error, as_json="--json" in arguments)
