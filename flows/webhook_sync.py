"""Applies what the providers pushed."""

import logging

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.caller import this_run
from flows.parameters import ConnectorName
from tasks.drain_inbox import drain_inbox
from tasks.workshop import open_workshop

_log = logging.getLogger(__name__)


@flow(name="webhook-sync", flow_run_name="webhooks", retries=0, persist_result=False, log_prints=False)
async def webhook_sync(connector: ConnectorName | None = None) -> State[None]:
    """Apply the events that wait in the inbox, linger for more, and end.

    Only one such run is at work at a time; another one ends at once.
    """
    run = this_run()
    async with open_workshop() as workshop:
        taken = await drain_inbox(workshop, run.trigger, flow_run_id=run.id, connector=connector)
    if taken is None:
        return Completed(message="Another run is draining the inbox.")
    _log.info("webhooks applied events=%d", taken)
    return Completed(message=f"Events applied: {taken}")
