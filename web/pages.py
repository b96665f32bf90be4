"""Pages for people, from templates that escape whatever they are given."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

FOLDER = Path(__file__).parent
TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **facts: Any) -> HTMLResponse:
    """The page made of *template* and *facts*."""
    return HTMLResponse(TEMPLATES.get_template(template).render(facts), status, headers)
