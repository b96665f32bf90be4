"""The web application: connect pages, the REST API and its documents."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from connectors.errors import ConnectorError
from deployments.web_settings import Web
from storage.errors import StorageError
from tasks.workshop import Workshop, open_workshop
from web import documents, metrics, probes
from web.answers import handle
from web.api import actions, connect_sessions, connections, inbox, runs, standing, sync
from web.api.live_reads import live_reads
from web.connect import callback, landing
from web.doorway import Doorway
from web.guards import PREFIX
from web.login import pages as login
from web.login.session import LoginNeeded, to_login
from web.logs import keep_addresses_out
from web.pages import FOLDER
from web.problems import MEDIA_TYPE, Problem
from web.status import changes, pages
from web.watching import Watching
from web.webhooks import receiving
from web.webhooks.storing import open_inbox
from web.webhooks.waking import Waking

PAGES = (landing, callback, receiving, documents, probes, metrics, login, pages, changes)

Opening = Callable[[], AbstractAsyncContextManager[Workshop]]

PROBLEM = {"description": "A problem", "content": {MEDIA_TYPE: {"schema": {"$ref": documents.PROBLEM}}}}
TOKEN = HTTPBearer(auto_error=False, description="The admin token; the doorway has checked it already.")


def create_app(web: Web, workshop: Opening = open_workshop) -> FastAPI:
    """The application; it holds one workshop for as long as it lives."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            workshop() as opened,
            Waking(opened.db) as waking,
            open_inbox(opened.db, waking) as inbox,
            Watching(opened.db),
        ):
            app.state.workshop, app.state.waking, app.state.inbox = opened, waking, inbox
            yield

    app = FastAPI(
        title="Syncline",
        description="A live, correct copy of your users' third-party accounts in your own Postgres.",
        version="1",
        openapi_url=None,  # served by documents.py, as is /docs
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.state.web = web
    keep_addresses_out()
    for kind in (Problem, StorageError, ConnectorError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)
    app.add_exception_handler(LoginNeeded, to_login)
    app.include_router(api())
    for part in PAGES:
        app.include_router(part.router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"))
    app.add_middleware(Doorway, web=web)
    return app


def api() -> APIRouter:
    """The REST API; the doorway lets nobody in without the admin token."""
    router = APIRouter(prefix=PREFIX, dependencies=[Security(TOKEN)], responses={"default": PROBLEM})
    for part in (connect_sessions, connections, sync, runs, standing, actions, inbox):
        router.include_router(part.router)
    router.include_router(live_reads())
    return router
