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


EXAMPLE = next(iter(find_connectors()))
EXAMPLE_WITH_KEY = next(
    name for name, found in find_connectors().items() if found.credential_fields[:1] == ("api_key",)
)


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


class Push(BaseModel):
    """How the provider pushes what changes in a stream."""

    state: str
    expires_at: datetime | None
    reason: str | None = None


class StreamStanding(BaseModel):
    """How one stream of a connection stands."""

    stream: str
    available: bool = Field(description="false: what was granted does not allow it; its rows stay")
    unavailable_reason: str | None
    rows: int = Field(description="without tombstones")
    last_full_sync: datetime | None
    complete_from: datetime | None = Field(description="null: nothing is left out by age")
    backlog: int = Field(description="parts, such as channels, that are still to be visited")
    unreadable: list[str]
    push: Push | None = Field(description="null: it is polled")


class Progress(BaseModel):
    """The stream that is being read now."""

    stream: str
    records: int
    parts_done: int
    parts_total: int | None
    waiting_until: datetime | None = Field(description="the provider asked for a pause until then")


class NeededAction(BaseModel):
    """What a person has to do."""

    kind: str = Field(description="reconnect or confirm_deletes")
    url: str | None = Field(description="the page on which it is done")


class Health(BaseModel):
    """How the syncs of the last 24 hours went."""

    service: str
    status: str = Field(description="healthy, degraded, down or unknown")
    last_success: datetime | None
    last_failure: datetime | None
    error_rate_24h: float | None
    runs_24h: int


class Standing(BaseModel):
    """How one connection stands."""

    id: UUID
    connector: str
    user_id: str
    account: str
    state: str
    connected: bool
    last_sync: datetime | None
    next_sync: datetime | None
    sync_in_progress: bool
    progress: Progress | None
    records: int
    error: str | None = Field(description="for the end user: what is wrong and what to do")
    error_code: str | None
    action: NeededAction | None
    streams: list[StreamStanding]
    health: Health


class Status(BaseModel):
    """How everything stands."""

    connections: list[Standing]
    services: list[Health]


class Services(BaseModel):
    """Each connector's health."""

    items: list[Health]


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What happened.")
    code: str = Field(description="For programs.")
    action: str = Field(description="What to do about it.")
    errors: list[dict[str, Any]] = Field(default=[], description="For a malformed request: where, and what belongs.")


def connector_named(name: str) -> Connector:
    """The connector, or the problem that there is none."""
    known = find_connectors()
    if name not in known:
        raise Problem(422, "unknown_connector", "There is no such connector.", f"There is: {', '.join(known)}.")
    return known[name]
