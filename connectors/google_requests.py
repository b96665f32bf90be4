"""Requests to Google, built by google-api-python-client from the discovery documents that come with it, sent by us.

The library needs half a second to be imported, so it is only when the first request is made.
"""

import functools
import importlib
import json
import re
from importlib import resources
from typing import Any

from connectors.addresses import built_target
from connectors.request import Request

_DOTS = re.compile(r"(?<=/)\.{1,2}(?=[/?]|$)")


def google_request(document: str, origin: str, method: str, /, body: Any = None, **parameters: Any) -> Request:
    """The request for *method*, such as `events.list`, of the API that *document*, such as `calendar.v3`, describes.

    *parameters* bear the document's own names; one that is None is left out. Sent to *origin*, below the document's
    own path; recorded by the document's route, so that no value of a parameter is ever in a log.
    """
    collection, _, name = method.rpartition(".")
    if body is not None:
        parameters["body"] = body
    built = getattr(_collection(document, origin, collection), name)(**parameters)
    content = built.body or b""
    kind = built.headers.get("content-type")
    return Request(
        built.method,
        _routes(document)[built.methodId],
        _no_climbing(built_target(origin, built.uri)),
        content.encode() if isinstance(content, str) else content,
        {"content-type": kind} if kind and content else {},
    )


def _no_climbing(target: bytes) -> bytes:
    """A segment of dots is a name like any other: it never climbs."""
    path, mark, query = target.decode().partition("?")
    path = _DOTS.sub(lambda dots: dots[0].replace(".", "%2E"), path)
    return (path + mark + query).encode()


@functools.cache
def _collection(document: str, origin: str, name: str) -> Any:
    """The library's object for a collection such as `users.messages`; making one takes longer than a request."""
    found = _service(document, origin)
    for step in name.split("."):
        found = getattr(found, step)()
    return found


@functools.cache
def _service(document: str, origin: str) -> Any:
    described = _described(document)
    described = described | {"rootUrl": f"{origin}/"}
    # An object in the place of its HTTP client: nothing that the library makes is ever sent by it.
    return importlib.import_module("googleapiclient.discovery").build_from_document(described, http=object())


@functools.cache
def _described(document: str) -> dict[str, Any]:
    folder = resources.files("googleapiclient") / "discovery_cache" / "documents"
    described: dict[str, Any] = json.loads((folder / f"{document}.json").read_bytes())
    return described


@functools.cache
def _routes(document: str) -> dict[str, str]:
    """The path of every method by its id, with the names of its parameters in the place of their values."""
    described = _described(document)
    routes: dict[str, str] = {}

    def collect(part: dict[str, Any]) -> None:
        for method in part.get("methods", {}).values():
            routes[method["id"]] = "/" + described["servicePath"] + method["path"].replace("{+", "{")
        for inner in part.get("resources", {}).values():
            collect(inner)

    collect(described)
    return routes
