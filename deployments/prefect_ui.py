"""Where Prefect's own pages are, for links to them."""

import os
from pathlib import Path
from uuid import UUID


def ui_url(api_url: str | None = None) -> str | None:
    """PREFECT_UI_URL, else what the API's address tells; None when neither is known."""
    api = api_url or os.environ.get("PREFECT_API_URL", "")
    return os.environ.get("PREFECT_UI_URL") or api.rstrip("/").removesuffix("/api") or None


def run_url(flow_run_id: UUID | str | None) -> str | None:
    """Where Prefect shows this run."""
    ui = ui_url()
    return f"{ui}/runs/flow-run/{flow_run_id}" if ui and flow_run_id else None


def password_place(home: Path) -> str:
    """Where the user and password of our own Prefect server are to be found."""
    return "PREFECT_API_AUTH_STRING" if "PREFECT_API_AUTH_STRING" in os.environ else str(home / "prefect.auth")
