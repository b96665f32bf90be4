"""Keeps the house: closes runs that died, renews grants that nothing uses and channels that end soon, applies events
that nobody has taken, raises and clears alerts, and forgets what is past its retention.
"""

import logging

from prefect import flow

from tasks.maintenance import (
    look_for_trouble,
    prune,
    renew_channels,
    renew_tokens,
    sweep_actions,
    sweep_inbox,
    sweep_runs,
)

_log = logging.getLogger(__name__)


@flow(name="maintenance", flow_run_name="maintenance", retries=0, persist_result=False, log_prints=False)
async def maintenance() -> None:
    """Close runs that died, renew tokens and channels, apply what waits in the inbox, and prune what is old."""
    closed = await sweep_runs()
    unknown = await sweep_actions()
    renewed = await renew_tokens()
    watched = await renew_channels()
    applied = await sweep_inbox()
    told = await look_for_trouble()
    pruned = await prune()
    _log.info(
        "maintenance closed_runs=%d unknown_actions=%d renewed_tokens=%d renewed_channels=%d events=%d alerts=%d "
        "pruned=%s",
        closed,
        unknown,
        renewed,
        watched,
        applied,
        told,
        pruned,
    )
