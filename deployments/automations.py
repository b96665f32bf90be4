"""Prefect automations that belong to Syncline; they are found by name and changed in place."""

from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, DoNothing, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from pydantic_settings import BaseSettings, SettingsConfigDict

from deployments.errors import ProblemError

ALERTS = "syncline: alerts"
DEAD = "syncline: runs that fell silent"
SILENT_SECONDS = 180  # six heartbeats: a busy machine misses some


class AlertSettings(BaseSettings):
    """Who hears of alerts."""

    model_config = SettingsConfigDict(env_prefix="SYNCLINE_", hide_input_in_errors=True, env_ignore_empty=True)

    alert_block: str | None = None
    """The Prefect block that sends alerts on, as type/name: `custom-webhook/alerts`; `syncline deploy` takes it."""


async def put_automations(client: PrefectClient, flows: list[str], *, update: bool) -> None:
    """Each exists once; an existing one is rewritten only if *update*, or if it is not what it is to be."""
    for wanted in (_dead_runs(flows), await _alerts(client)):
        there = await client.read_automations_by_name(wanted.name)
        if not there:
            await client.create_automation(wanted)
        elif update or there[0].actions != wanted.actions:
            await client.update_automation(there[0].id, wanted)


async def _alerts(client: PrefectClient) -> AutomationCore:
    """Every alert is sent on by the block that the settings name; where they name none nothing is sent."""
    block = AlertSettings().alert_block
    action: ActionTypes = DoNothing()
    if block:
        action = SendNotification(
            block_document_id=await _block(client, block),
            subject="Syncline: {{ event.payload.service }} {{ event.payload.kind }}",
            body="{{ event.payload.sentence }}",
        )
    return AutomationCore(
        name=ALERTS,
        description="Sends Syncline's alerts on. SYNCLINE_ALERT_BLOCK names the block; `syncline deploy` puts it here.",
        trigger=EventTrigger(
            posture=Posture.Reactive,
            match={"prefect.resource.id": ["syncline.connection.*", "syncline.connector.*"]},
            expect={"syncline.alert.*"},
            threshold=1,
            within=timedelta(0),
        ),
        actions=[action],
    )


async def _block(client: PrefectClient, name: str) -> UUID:
    """The id of the block document of that name, `type/name`."""
    kind, _, document = name.partition("/")
    try:
        return (await client.read_block_document_by_name(document, kind, include_secrets=False)).id
    except ObjectNotFound:
        raise ProblemError(
            "unknown_block",
            f"SYNCLINE_ALERT_BLOCK names {name!a}, and Prefect has no such block.",
            "Make it in Prefect's UI under Blocks, and write its type, a slash and its name, as docs/alerts.md shows.",
        ) from None


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
