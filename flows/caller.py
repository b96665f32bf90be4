"""Who started a flow run, and what it is told: by Prefect's run itself, or by a caller in this process."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from prefect.context import FlowRunContext

from storage.runs import Trigger
from tasks.progress import Watch
from tasks.requests import Result

TRIGGER_TAG = "trigger:"


@dataclass(slots=True)
class Caller:
    """A caller in this process, which watches, and is handed the results whatever they are."""

    trigger: Trigger
    watch: Watch | None = None
    results: list[Result] = field(default_factory=list)
    flow_run_id: UUID | None = None


CALLER: ContextVar[Caller | None] = ContextVar("caller", default=None)


@dataclass(frozen=True, slots=True)
class FlowRun:
    """The flow run under way."""

    id: UUID | None
    trigger: Trigger
    deployed: bool


def this_run() -> FlowRun:
    """What Prefect knows of the run: its schedule started it, or somebody by its form or its API."""
    caller = CALLER.get()
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if caller:
        caller.flow_run_id = run.id if run else None
        return FlowRun(caller.flow_run_id, caller.trigger, deployed=False)
    if run is None:
        return FlowRun(None, "manual", deployed=False)
    return FlowRun(
        run.id, _trigger(run.tags, scheduled=bool(run.auto_scheduled)), deployed=run.deployment_id is not None
    )


def _trigger(tags: list[str], *, scheduled: bool) -> Trigger:
    triggers: dict[str, Trigger] = {"api": "api", "cli": "cli", "webhook": "webhook", "schedule": "schedule"}
    for tag in tags:
        if tag.startswith(TRIGGER_TAG) and tag.removeprefix(TRIGGER_TAG) in triggers:
            return triggers[tag.removeprefix(TRIGGER_TAG)]
    return "schedule" if scheduled else "manual"
