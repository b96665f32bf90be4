from typing import Annotated

import typer


def sandbox(
    *,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8100,
    webhooks_to: Annotated[
        str | None, typer.Option(metavar="URL", help="Your Syncline's address: all providers push to it, signed.")
    ] = None,
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
    from sandbox.courier import checked
    from sandbox.provider import WrongCall
    from sandbox.serving import run

    def tell(providers: Sandbox, base: str) -> None:
        settings = providers.settings(base)
        if webhooks_to is not None:
            settings |= providers.deliver_to(webhooks_to.rstrip("/"))
        if as_json:
            output.as_json(settings)
        else:
            for name, value in settings.items():
                output.data(f"export {name}={shlex.quote(value)}")
        output.success(f"The providers answer at {base} until Ctrl-C.")

    if webhooks_to is not None:
        try:
            checked(webhooks_to)
        except WrongCall as wrong:
            raise typer.BadParameter(f"--webhooks-to: {wrong}.") from None
    try:
        asyncio.run(run("127.0.0.1", port, tell))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise ProblemError("port_busy", f"Port {port} is in use.", "Choose another one with --port.") from None
