import os
from typing import Annotated

import typer


def up(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the web application.", min=1, max=65535)] = 8000,
    prefect_port: Annotated[int, typer.Option(help="Port of the Prefect server and its UI.", min=1, max=65535)] = 4200,
) -> None:
    """Run everything in the foreground; Ctrl-C stops it.

    Postgres, the Prefect server, migrations, deployments, a worker and the web application. What a setting brings from
    outside is used instead of being started.
    """
    if port == prefect_port and not os.environ.get("PREFECT_API_URL"):
        raise typer.BadParameter("--port and --prefect-port are the same: choose two.")
    from deployments.supervisor import Wanted, supervise

    raise typer.Exit(supervise(Wanted(host=host, port=port, prefect_port=prefect_port)))
