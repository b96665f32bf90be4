"""The pages that people look at. They change nothing; `web.status.changes` does."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from connectors.registry import find_connectors
from deployments.prefect_ui import run_url, ui_url
from deployments.words import duration, number
from storage import connections, inbox_lists, overview, rejected, run_lists
from storage.newest_rows import newest
from storage.overview import Sought
from tasks.stream_tables import tables_of
from web.api import paging
from web.login.session import OWN_ACCORD, visitor
from web.pages import TEMPLATES, page
from web.state import InWorkshop, version_of_product, web_of, workshop_of
from web.status import facts, words
from web.status.facts import A_PAGE, Asked, Facts
from web.status.said import SAID

router = APIRouter(include_in_schema=False, dependencies=[Depends(visitor)])

TEMPLATES.filters |= {
    "when": words.when,
    "clock": words.clock,
    "number": number,
    "duration": duration,
    "plural": words.plural,
    "took": words.took,
    "run_url": run_url,
}
TEMPLATES.globals |= {"OUTCOMES": words.OUTCOMES, "TRIGGERS": words.TRIGGERS, "EVENTS": words.EVENTS}
SHOWS = ("all", "attention", "syncing", "paused")


def asked_for(
    show: Annotated[str, Query()] = "all",
    connector: str = "",
    q: Annotated[str, Query(max_length=200)] = "",
    after: str | None = None,
    hours: int = 24,
) -> Asked:
    """What the address asks for; what it asks for in vain is as if it were not there."""
    chosen: Any = show if show in SHOWS else "all"
    sought = Sought(chosen, connector if connector in find_connectors() else None, q.replace("\0", "").strip() or None)
    return Asked(sought, paging.place(after or None), hours if hours in facts.HOURS else 24)


InAsked = Annotated[Asked, Depends(asked_for)]


@router.get("/")
async def home(request: Request, workshop: InWorkshop, asked: InAsked, since: str = "") -> Response:
    """How everything stands. The page's own script says what it shows already: 204 when that is still so."""
    if since and OWN_ACCORD in request.headers and since == await overview.version(workshop.db):
        return Response(status_code=HTTPStatus.NO_CONTENT)
    found = await facts.home(workshop.db, asked)
    return await _page(request, "status/home.html", "Connections", found | {"asked": asked})


@router.get("/connections/{connection_id}")
async def one_connection(connection_id: UUID, request: Request, workshop: InWorkshop, stream: str = "") -> Response:
    """One connection in full, with the newest rows of a stream."""
    db = workshop.db
    connection = await connections.get(db, connection_id)
    (told,) = await facts.standing(db, [connection_id])
    tables = tables_of(connection.connector)
    chosen = stream if stream in tables else next(iter(tables))
    events = await inbox_lists.listing(db, limit=facts.LISTED, connection_id=connection_id)
    found = {
        "connection": told,
        "details": connection,
        "runs": await run_lists.latest(db, limit=facts.LISTED, connection_id=connection_id),
        "events": await facts.named(db, events),
        "rejected": [r for r in await rejected.listing(db, limit=A_PAGE) if r["connection_id"] == str(connection_id)],
        "requests": await overview.requests_of(db, connection.connector, connection_id),
        "pushes": _has_endpoint(connection.connector),
        "tables": list(tables),
        "chosen": chosen,
        "rows": await newest(db, connection_id, tables[chosen]),
        "every": facts.QUICK_SECONDS if told["sync_in_progress"] else facts.CALM_SECONDS,
        "version": "",
    }
    return await _page(request, "status/connection.html", f"{told['title']} {told['account']}", found)


@router.get("/connections/{connection_id}/disconnect")
async def ask_to_disconnect(connection_id: UUID, request: Request, workshop: InWorkshop) -> Response:
    """What disconnecting does, and the buttons for it."""
    (told,) = await facts.standing(workshop.db, [(await connections.get(workshop.db, connection_id)).id])
    return await _page(request, "status/disconnect.html", f"Disconnect {told['account']}", {"connection": told})


@router.get("/runs")
async def runs(request: Request, workshop: InWorkshop, before: UUID | None = None) -> Response:
    """All runs, the newest first."""
    found = await run_lists.latest(workshop.db, limit=A_PAGE + 1, before=before)
    more = found[A_PAGE - 1]["id"] if len(found) > A_PAGE else None
    return await _page(request, "status/runs.html", "Runs", {"runs": found[:A_PAGE], "more": more})


@router.get("/inbox")
async def inbox(request: Request, workshop: InWorkshop, status: str = "", before: UUID | None = None) -> Response:
    """All webhook events, the newest first, or those in one state."""
    shown = status if status in words.EVENTS else None
    found = await inbox_lists.listing(workshop.db, limit=A_PAGE + 1, status=shown, before=before)
    more = found[A_PAGE - 1]["id"] if len(found) > A_PAGE else None
    return await _page(
        request,
        "status/inbox.html",
        "Webhooks",
        {
            "events": await facts.named(workshop.db, found[:A_PAGE]),
            "more": more,
            "chosen": shown or "",
            "inbox": await overview.inbox_counts(workshop.db),
        },
    )


@router.get("/rejected")
async def set_aside(request: Request, workshop: InWorkshop, before: UUID | None = None) -> Response:
    """Every record that could not be stored, the newest first."""
    found = await rejected.listing(workshop.db, limit=A_PAGE + 1, before=before)
    more = found[A_PAGE - 1]["id"] if len(found) > A_PAGE else None
    shown = await facts.named(workshop.db, found[:A_PAGE])
    return await _page(request, "status/rejected.html", "Rejected", {"rejected": shown, "more": more})


def _has_endpoint(connector: str) -> bool:
    """Whether its webhooks come by an endpoint that the team registers at the provider."""
    found = find_connectors()[connector]
    return found.webhooks is not None and found.push is None


async def _page(request: Request, template: str, title: str, found: Facts) -> Response:
    """The page with what all of them share."""
    known: Facts = {
        "title": title,
        "said": SAID.get(request.query_params.get("said", "")),
        "prefect": ui_url(),
        "sandbox": web_of(request).sandbox_url,
        "connectors": find_connectors(),
        "version_of_product": version_of_product(),
        "here": request.url.path,
        "rejected_count": await overview.rejected_count(workshop_of(request).db),
        "word": paging.word,
    }
    if known["said"]:  # somebody pressed a button and wants to see what comes of it
        found = found | {"every": facts.QUICK_SECONDS}
    return page(template, headers={"Cache-Control": "no-store"}, **known | found)
