"""Doing something at a provider, at most once for each idempotency key."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request

from connectors.registry import find_connectors
from tasks.run_action import ActionResult, check_key, run_action
from web.problems import Problem
from web.state import InWorkshop

router = APIRouter(tags=["actions"])

ACTIONS = [action for connector in find_connectors().values() for action in connector.actions]
BODIES = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "anyOf": [
                    action.body.model_json_schema() | {"title": action.name, "description": action.summary}
                    for action in ACTIONS
                ]
            }
        }
    },
}
Key = Annotated[
    list[str] | None,
    Header(
        alias="Idempotency-Key",
        description="1 to 255 visible ASCII characters, remembered for ever for this connection and action.",
    ),
]


class Done(BaseModel):
    """An action that happened."""

    id: UUID
    status: str = Field(description="succeeded")
    result: dict[str, Any] | None = Field(description="What came of it; null once it is past its retention.")


@router.post("/connections/{connection_id}/actions/{action}", openapi_extra={"requestBody": BODIES})
async def perform_action(
    connection_id: UUID, action: str, request: Request, workshop: InWorkshop, idempotency_key: Key = None
) -> Done:
    """It is done, now or when it was first asked for with this key; a refusal by the provider is 422, with its reason.

    503: nothing was done, the same key may try again. 504: nobody knows; the same key only looks again.
    """
    if idempotency_key is None or len(idempotency_key) != 1:
        raise Problem(
            400, "idempotency_key_missing", "There is not one Idempotency-Key header.", "Send one, such as a UUID."
        )
    check_key(idempotency_key[0])
    body = _object(await request.body())
    try:
        said = await run_action(workshop, connection_id, action, body, idempotency_key[0])
    except ValidationError as error:
        found = [one | {"loc": ("body", *one["loc"])} for one in error.errors(include_input=False, include_url=False)]
        raise RequestValidationError(found) from None
    return _answer(said)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": ""}]) from None
    if not isinstance(value, dict):
        raise RequestValidationError([{"type": "dict_type", "loc": ("body",), "msg": "Input should be an object"}])
    return value


def _answer(said: ActionResult) -> Done:
    if said.status == "succeeded":
        return Done(id=said.id, status=said.status, result=None if said.result is None else dict(said.result))
    if said.status == "failed":
        raise Problem(
            422,
            said.error_code or "declined",
            said.error or "The provider did not accept this.",
            "Correct it, and ask with a new key.",
        )
    raise Problem(
        504,
        said.error_code or "unproved",
        said.error or "It is not known whether this was done.",
        "Ask again with the same key: it only looks. If you know what happened: "
        f"syncline actions resolve {str(said.id)[:8]} succeeded|failed.",
    )
