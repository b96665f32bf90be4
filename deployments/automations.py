"""Prefect automations that belong to Syncline; they are found by name and changed in place."""

from datetime import timedelta

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

DEAD = "syncline: runs that fell silent"
SILENT_SECONDS = 180  # six heartbeats: a busy machine misses some


async def put_automations(client: PrefectClient, flows: list[str], *, update: bool) -> None:
    """Each exists once; an existing one is rewritten only if *update*."""
    wanted = _dead_runs(flows)
    there = await client.read_automations_by_name(wanted.name)
    if not there:
        await client.create_automation(wanted)
    elif update:
        await client.update_automation(there[0].id, wanted)


def _dead_runs(flows: list[str]) -> AutomationCore:
    """A run that sends no heartbeat any more has died with its worker: nobody else would say so."""
    ends = ("heartbeat", "Completed", "Failed", "Cancelled", "Crashed")
    return AutomationCore(
        name=DEAD,
        description="Marks a sync crashed when it has sent no heartbeat for three minutes.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={"prefect.resource.role": "flow", "prefect.resource.name": flows},
            after={"prefect.flow-run.heartbeat"},
            expect={f"prefect.flow-run.{end}" for end in ends},
            for_each={"prefect.resource.id"},
            threshold=1,
            within=timedelta(seconds=SILENT_SECONDS),
        ),
        actions=[
            ChangeFlowRunState(
                name=None,
                state=StateType.CRASHED,
                message="No sign of life for three minutes: its process has died.",
                force=False,
            )
        ],
    )
