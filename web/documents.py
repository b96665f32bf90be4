"""The API's documents: one for programs, and the same as a page. Nothing of them is loaded from elsewhere."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from web.api.objects import ProblemDocument
from web.calls import REFERENCE, call_of
from web.page_of_problems import MEANINGS
from web.pages import page
from web.state import InWeb

router = APIRouter(include_in_schema=False)

PROBLEM = f"{REFERENCE}{ProblemDocument.__name__}"


def document_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the one shape that all problems have."""
    document = app.openapi()
    document["components"]["schemas"].setdefault(ProblemDocument.__name__, ProblemDocument.model_json_schema())
    return document


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    return JSONResponse(document_of(request.app))


@router.get("/docs")
async def docs(request: Request, web: InWeb) -> HTMLResponse:
    """Every route with what it takes and gives, and every problem with what it means."""
    document = document_of(request.app)
    groups: dict[str, list[Operation]] = {}
    for operation in operations(document, web.public_url):
        groups.setdefault(operation.tag, []).append(operation)
    return page("docs.html", title="Syncline API", document=document, groups=groups, problems=sorted(MEANINGS.items()))


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as the page shows it."""

    id: str
    tag: str
    method: str
    path: str
    summary: str
    parameters: list[tuple[str, str, str]]
    """Name, where it stands and of what kind it is, what it means."""
    takes: str | None
    gives: str | None
    call: str
    """In curl."""
    in_python: str


def operations(document: Mapping[str, Any], public_url: str) -> Iterator[Operation]:
    """Every route that the document describes, in its order."""
    shapes = document.get("components", {}).get("schemas", {})
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            body = _schema(said.get("requestBody", {}).get("content", {}))
            call = call_of(method, path, said, body, shapes)
            yield Operation(
                id=said["operationId"],
                tag=said["tags"][0],
                method=method.upper(),
                path=path,
                summary=said.get("description", ""),
                parameters=[_parameter(one, shapes) for one in said.get("parameters", [])],
                takes=_shown(body, shapes),
                gives=_shown(_given(said["responses"]), shapes),
                call=call.in_curl(public_url),
                in_python=call.in_python(),
            )


def _given(responses: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = [answer for status, answer in responses.items() if status.startswith("2")]
    return _schema(found[0].get("content", {})) if found else None


def _schema(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    schema: Mapping[str, Any] | None = content.get("application/json", {}).get("schema")
    return schema


def _shown(schema: Mapping[str, Any] | None, shapes: Mapping[str, Any]) -> str | None:
    return None if schema is None else json.dumps(_outline(schema, shapes), indent=2, ensure_ascii=False)


def _outline(schema: Mapping[str, Any], shapes: Mapping[str, Any]) -> Any:
    """The shape of the JSON, with words where values stand."""
    if "$ref" in schema:
        return _outline(shapes[schema["$ref"].removeprefix(REFERENCE)], shapes)
    if "properties" in schema:
        needed = schema.get("required", [])
        return {
            name if name in needed or "default" not in one else f"{name}?": _outline(one, shapes)
            for name, one in schema["properties"].items()
        }
    if schema.get("type") == "array":
        return [_outline(schema.get("items", {}), shapes)]
    if "anyOf" in schema:
        inner = [_outline(one, shapes) for one in schema["anyOf"]]
        return inner[0] if len(inner) == 1 else _either(inner)
    return _kind(schema, shapes)


def _either(inner: list[Any]) -> Any:
    words = [one for one in inner if isinstance(one, str)]
    return " | ".join(words) if len(words) == len(inner) else inner[0]


def _kind(schema: Mapping[str, Any], shapes: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _kind(shapes[schema["$ref"].removeprefix(REFERENCE)], shapes)
    if "anyOf" in schema:
        return " | ".join(_kind(one, shapes) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    return str(schema.get("format") or schema.get("type") or "anything")


def _parameter(one: Mapping[str, Any], shapes: Mapping[str, Any]) -> tuple[str, str, str]:
    where = f"{one['in']}, {_kind(one['schema'], shapes)}" + (", required" if one.get("required") else "")
    return one["name"], where, one.get("description", "")
