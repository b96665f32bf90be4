"""How a problem is shown: as a document to programs, as a page to people."""

import logging
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from deployments.web_settings import Web
from web.guards import API
from web.pages import page
from web.problems import MEDIA_TYPE, Problem, problem_of

log = logging.getLogger("web")


def answer(request: Request, problem: Problem, web: Web) -> Response:
    """The problem in the form that was asked for."""
    if _is_for_people(request):
        return page(
            "message.html",
            status=problem.status,
            headers=problem.headers,
            kind="failed",
            title=_heading(problem.status),
            sentences=[problem.detail] if problem.whole else [problem.detail, problem.action],
        )
    return JSONResponse(problem.body(web.public_url), problem.status, problem.headers, MEDIA_TYPE)


async def handle(request: Request, error: Exception) -> Response:
    """What any handler raised, as its problem."""
    problem = problem_of(error)
    if problem is None:
        raise error
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("answered code=%s error=%s", problem.code, type(error).__name__)
    return answer(request, problem, request.app.state.web)


def _is_for_people(request: Request) -> bool:
    return not request.scope["path"].startswith(API) and "text/html" in request.headers.get("accept", "")


def _heading(status: int) -> str:
    return {404: "There is nothing here", 405: "This does not work here"}.get(status, "This did not work")
