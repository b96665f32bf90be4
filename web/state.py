"""What every handler of the application shares."""

from functools import cache
from importlib import metadata
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from deployments.web_settings import Web
from tasks.workshop import Workshop


def workshop_of(request: Request) -> Workshop:
    workshop: Workshop = request.app.state.workshop
    return workshop


def web_of(request: Request) -> Web:
    web: Web = request.app.state.web
    return web


@cache
def version_of_product() -> str:
    return metadata.version("syncline")


InWorkshop = Annotated[Workshop, Depends(workshop_of)]
InWeb = Annotated[Web, Depends(web_of)]
