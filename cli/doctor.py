from typing import Annotated

import typer

SIGNS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "failed": "[red]▲[/]"}


def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """Check settings, database, Prefect, worker and clock.

    Each fault comes with what to do about it; exit code 1 if there is one.
    """
    import asyncio
    from dataclasses import asdict

    from cli import output
    from deployments.checks import examine

    checks = asyncio.run(examine())
    if as_json:
        output.as_json({"items": [asdict(check) for check in checks]})
    else:
        for check in checks:
            line = f"{SIGNS[check.state]} {check.name:<12} {output.plain(check.detail)}"
            output.paper().print(line, highlight=False, soft_wrap=True)
            if check.action:
                output.paper().print(f"  {'':<12} {output.plain(check.action)}", highlight=False, soft_wrap=True)
    if any(check.state == "failed" for check in checks):
        raise typer.Exit(1)
