"""What the page's buttons do. Each is a form that is posted, and leads back to a page that says what came of it."""

from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectors.registry import find_connectors
from deployments.errors import ProblemError
from deployments.start import start_sync
from deployments.web_settings import Web
from storage import action_lists, connect_sessions, connections, inbox_lists
from storage.errors import Conflict, NotActive, UnknownId
from storage.pausing import set_paused
from tasks.disconnect import disconnect as let_go
from tasks.retry_rejected import retry_rejected
from web.api.objects import connector_named
from web.connect.addresses import link
from web.connect.ready import check_ready
from web.login.session import visitor
from web.pages import page
from web.problems import Problem
from web.starting import begin_reading_changes
from web.state import InWeb, InWorkshop

LONGEST_USER = 255
LINK_SECONDS = 86_400
"""A link that support sends to a user is good for a day."""

Form = dict[str, str]


async def form_of(request: Request) -> Form:
    """The fields that were sent, each once."""
    said = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=20)
    return {name: values[0] for name, values in said.items() if len(values) == 1}


InForm = Annotated[Form, Depends(form_of)]

router = APIRouter(include_in_schema=False, dependencies=[Depends(visitor)])


@router.post("/connections/{connection_id}/sync")
async def sync(connection_id: UUID, form: InForm, workshop: InWorkshop) -> Response:
    """A run of the deployment is asked for: of what changed, of everything, or of everything without the guard."""
    if (await connections.get(workshop.db, connection_id)).state != "active":
        return _back(form, "not-active")
    mode: Literal["full", "incremental"] = "full" if form.get("mode") == "full" else "incremental"
    try:
        await start_sync(connection_id, mode, "api", confirm_deletes=mode == "full" and "confirm_deletes" in form)
    except ProblemError:
        return _back(form, "no-prefect")
    return _back(form, "sync")


@router.post("/connections/{connection_id}/pause")
async def pause(connection_id: UUID, form: InForm, workshop: InWorkshop) -> Response:
    """Nothing is synced until it is resumed."""
    return await _set_paused(connection_id, form, workshop, paused=True)


@router.post("/connections/{connection_id}/resume")
async def resume(connection_id: UUID, form: InForm, workshop: InWorkshop) -> Response:
    """It is active again, and what changed meanwhile is read."""
    return await _set_paused(connection_id, form, workshop, paused=False)


@router.post("/connections/{connection_id}/disconnect")
async def disconnect(connection_id: UUID, form: InForm, workshop: InWorkshop) -> Response:
    """Let go of; its rows are deleted only where that was ticked and the account's name was typed."""
    connection = await connections.get(workshop.db, connection_id)
    purge = "purge" in form
    if purge and form.get("name", "").strip() != connection.account.strip():
        return RedirectResponse(f"/connections/{connection_id}/disconnect?said=wrong-name", HTTPStatus.SEE_OTHER)
    await let_go(workshop.db, connection_id, purge=purge)
    return RedirectResponse(f"/?said={'purged' if purge else 'disconnected'}", HTTPStatus.SEE_OTHER)


@router.post("/connections/{connection_id}/reconnect")
async def reconnect(connection_id: UUID, workshop: InWorkshop, web: InWeb) -> Response:
    """A link with which this connection's user signs in again."""
    found = await connections.get(workshop.db, connection_id)
    check_ready(connector_named(found.connector))
    token, expires = await connect_sessions.create(
        workshop.db,
        connector=found.connector,
        user_id=found.user_id,
        connection_id=found.id,
        expires_in=LINK_SECONDS,
    )
    return _link_page(web, found.connector, found.user_id, token, expires)


@router.post("/connect")
async def connect(form: InForm, workshop: InWorkshop, web: InWeb) -> Response:
    """A link with which a user connects an account."""
    connector = connector_named(form.get("connector", ""))
    check_ready(connector)
    user = form.get("user_id", "").strip()
    if not user.isprintable() or not 0 < len(user) <= LONGEST_USER:
        raise Problem(
            422, "malformed_request", "The user's id is missing or cannot be one.", "Give your product's own id of it."
        )
    token, expires = await connect_sessions.create(
        workshop.db, connector=connector.name, user_id=user, expires_in=LINK_SECONDS
    )
    return _link_page(web, connector.name, user, token, expires)


@router.post("/inbox/replay")
async def replay(request: Request, form: InForm, workshop: InWorkshop) -> Response:
    """One event is applied again, or all that failed."""
    try:
        if event := form.get("event"):
            await inbox_lists.replay(workshop.db, str(UUID(event)))
        else:
            await inbox_lists.replay_all(workshop.db, failed=True)
    except (UnknownId, Conflict, ValueError):
        return _back(form, "gone")
    request.app.state.waking.wake()
    return _back(form, "replayed")


@router.post("/rejected/retry")
async def retry(form: InForm, workshop: InWorkshop) -> Response:
    """What was set aside is tried again: one record, or all."""
    try:
        result = await retry_rejected(workshop.db, str(UUID(form["record"])) if "record" in form else None)
    except (UnknownId, ValueError):
        return _back(form, "gone")
    return _back(form, "still-rejected" if result["rejected"] else "retried")


@router.post("/actions/{action_id}/resolve")
async def resolve(action_id: UUID, form: InForm, workshop: InWorkshop) -> Response:
    """A person says what became of an action that is unknown."""
    try:
        await action_lists.resolve(
            workshop.db, str(action_id), "succeeded" if form.get("status") == "succeeded" else "failed"
        )
    except (UnknownId, Conflict):
        return _back(form, "gone")
    return _back(form, "resolved")


async def _set_paused(connection_id: UUID, form: Form, workshop: InWorkshop, *, paused: bool) -> Response:
    try:
        await set_paused(workshop.db, connection_id, paused=paused)
    except NotActive:
        return _back(form, "not-active")
    if not paused:
        await begin_reading_changes(connection_id)
    return _back(form, "paused" if paused else "resumed")


def _link_page(web: Web, connector: str, user: str, token: str, expires: object) -> Response:
    return page(
        "status/link.html",
        headers={"Cache-Control": "no-store"},
        title="A link for your user",
        url=link(web.public_url, connector, token),
        user=user,
        provider=find_connectors()[connector].title,
        expires=expires,
    )


def _back(form: Form, said: str) -> Response:
    """To the page that the button stood on."""
    places = ("/", "/runs", "/inbox", "/rejected")
    where = form.get("back", "/")
    if where.startswith("/connections/"):
        where = f"/connections/{_id(where)}" if _id(where) else "/"
    return RedirectResponse(f"{where if where in places or _id(where) else '/'}?said={said}", HTTPStatus.SEE_OTHER)


def _id(path: str) -> UUID | None:
    try:
        return UUID(path.removeprefix("/connections/"))
    except ValueError:
        return None
