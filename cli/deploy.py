from typing import Annotated

import typer


def deploy(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """Register pool, deployments and automations with Prefect."""
    from dataclasses import asdict

    from cli import output
    from deployments.parts import prefect_for_command

    prefect_for_command()
    from deployments.deploy import register

    registered = register(always=True)
    if as_json:
        output.as_json(asdict(registered))
    else:
        output.success(f"Deployments: {registered}")
