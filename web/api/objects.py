"""What the API takes and gives, as its documents describe it."""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from connectors.base import Connector
from connectors.registry import find_connectors
from web.problems import Problem

Item = TypeVar("Item")


PLAIN = r"^[^\x00-\x1f\x7f-\x9f]+$"
"""No line breaks and no control characters."""

UserId = Annotated[
    str,
    Field(
        min_length=1, max_length=255, pattern=PLAIN, description="Your product's own id of the user.", examples=["42"]
    ),
]
ConnectorName = Annotated[
    str, Field(min_length=1, max_length=63, pattern=PLAIN, json_schema_extra={"enum": list(find_connectors())})
]


def a_number(value: object) -> object:
    """Only what JSON calls a number, so neither `"900"` nor `true`."""
    if isinstance(value, bool | str):
        raise ValueError("a number")  # noqa: TRY004 -- pydantic reports these
    return value


class Taken(BaseModel):
    """What a request may hold: nothing that is not named."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Items(BaseModel, Generic[Item]):
    """A part of a list; `next` is the `cursor` of the part that follows, null at the end."""

    items: list[Item]
    next: str | None = None


class Connection(BaseModel):
    """One user's authorised account with one connector."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    connector: str
    user_id: str
    external_account_id: str
    mode: str
    account: str
    state: str = Field(description="active, paused, needs_reconnect or disconnected")
    scopes: list[str]
    full_due: bool
    error: str | None
    error_code: str | None
    created_at: datetime


class Run(BaseModel):
    """One sync of one connection."""

    id: UUID
    flow_run_id: UUID | None
    mode: str
    trigger: str
    outcome: str | None = Field(description="null while it runs")
    started_at: datetime
    ended_at: datetime | None
    streams: dict[str, Any] = Field(description="per stream: read, written, unchanged, deleted, rejected, altered")
    error: str | None


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What happened.")
    code: str = Field(description="For programs.")
    action: str = Field(description="What to do about it; empty where `detail` says it.")
    errors: list[dict[str, Any]] = Field(default=[], description="For a malformed request: where, and what belongs.")


def connector_named(name: str) -> Connector:
    """The connector, or the problem that there is none."""
    known = find_connectors()
    if name not in known:
        raise Problem(422, "unknown_connector", "There is no such connector.", f"There is: {', '.join(known)}.")
    return known[name]
