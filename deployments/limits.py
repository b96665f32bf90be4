"""The rate limits that syncs have made in Prefect; each is made when an account is first read."""

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

from connectors.registry import find_connectors

PAGE = 200


async def switch_on_limits(client: PrefectClient) -> int:
    """How many there are; none is switched off, for Prefect grants every request on one that is."""
    prefixes = tuple(f"{name}:" for name in find_connectors())
    count = offset = 0
    while page := await client.read_global_concurrency_limits(limit=PAGE, offset=offset):
        offset += len(page)
        for limit in page:
            if limit.name.startswith(prefixes):
                count += 1
                if not limit.active:
                    await client.update_global_concurrency_limit(limit.name, GlobalConcurrencyLimitUpdate(active=True))
    return count
