from typing import Annotated

import typer


def sandbox(
    *,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8100,
    as_json: Annotated[bool, typer.Option("--json", help="The settings as one JSON object on stdout.")] = False,
) -> None:
    """Run fake providers over real HTTP; Ctrl-C stops them.

    Prints the settings that point Syncline at them. What they hold is kept in memory only.
    """
    import asyncio
    import errno
    import shlex

    from cli import output
    from deployments.errors import ProblemError
    from sandbox.application import Sandbox
    from sandbox.serving import run

    def tell(providers: Sandbox, base: str) -> None:
        settings = providers.settings(base)
        if as_json:
            output.as_json(settings)
        else:
            for name, value in settings.items():
                output.data(f"export {name}={shlex.quote(value)}")
        output.success(f"The providers answer at {base} until Ctrl-C.")

    try:
        asyncio.run(run("127.0.0.1", port, tell))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise ProblemError("port_busy", f"Port {port} is in use.", "Choose another one with --port.") from None
