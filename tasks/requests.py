"""What a run of a connection is asked to do, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from storage.connections import Connection
from storage.runs import Outcome, Trigger
from tasks.progress import Watch

Mode = Literal["full", "incremental"]


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked to do."""

    mode: Mode
    trigger: Trigger
    streams: list[str] | None = None
    confirm_deletes: bool = False
    flow_run_id: UUID | None = None
    watch: Watch | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended. `error` is written for the end user."""

    connection: Connection
    outcome: Outcome
    run_id: UUID | None = None
    streams: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    seconds: float = 0.0
    error: str | None = None
    error_code: str | None = None
    notes: list[str] = field(default_factory=list)
