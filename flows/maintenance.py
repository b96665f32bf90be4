"""Keeps the house: closes runs that died, and forgets what is past its retention."""

import logging

from prefect import flow

from tasks.maintenance import prune, sweep_runs

_log = logging.getLogger(__name__)


@flow(name="maintenance", flow_run_name="maintenance", retries=0, persist_result=False, log_prints=False)
async def maintenance() -> None:
    """Close runs that died without saying so, and prune what is past its retention."""
    closed = await sweep_runs()
    pruned = await prune()
    _log.info("maintenance closed_runs=%d pruned=%s", closed, pruned)
