"""Keeps the house: closes runs that died, renews grants that nothing uses, applies events that nobody has taken, and
forgets what is past its retention.
"""

import logging

from prefect import flow

from tasks.maintenance import prune, renew_tokens, sweep_actions, sweep_inbox, sweep_runs

_log = logging.getLogger(__name__)


@flow(name="maintenance", flow_run_name="maintenance", retries=0, persist_result=False, log_prints=False)
async def maintenance() -> None:
    """Close runs that died without saying so, renew idle tokens, apply what waits in the inbox, and prune what is
    past its retention.
    """
    closed = await sweep_runs()
    unknown = await sweep_actions()
    renewed = await renew_tokens()
    applied = await sweep_inbox()
    pruned = await prune()
    _log.info(
        "maintenance closed_runs=%d unknown_actions=%d renewed_tokens=%d events=%d pruned=%s",
        closed,
        unknown,
        renewed,
        applied,
        pruned,
    )
