"""Prefect's side of a rate limit: one global concurrency limit with slot decay per bucket."""

import asyncio
import contextlib
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import httpx  # Prefect's client raises its exceptions as they are
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate
from prefect.client.schemas.responses import GlobalConcurrencyLimitResponse
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from connectors.errors import Misconfigured, Unavailable
from connectors.session import Bucket
from tasks.throttle.pace import Pace

T = TypeVar("T")

LOOK_SECONDS = 5.0
"""How often it is looked whether the limit is still active: Prefect grants every request on one that is not."""
ATTEMPT_SECONDS = 20.0
"""An answer that is given up may have granted what then nobody spends, so it is waited for."""
AWAY_SECONDS = 30.0
"""How long Prefect's server may be away, to be restarted for example, before a run gives up."""
LISTED = 200
"""Limits that are read at once when the client is opened, which spares a question for each; Prefect gives no more."""
AT_ONCE = 8
"""Questions on their way to Prefect; more would only wait for each other there, and count as slow."""
LOCKED, UNPROCESSABLE, SERVER_ERROR = 423, 422, 500


def limit_name(bucket: Bucket) -> str:
    """Readable, safe in Prefect and in an address, and different for every bucket whatever its parts contain."""
    parts = (bucket.connector, bucket.name, bucket.scope)
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "backslashreplace"), digest_size=6).hexdigest()
    readable = [re.sub(r"[^a-z0-9_.]+", "-", part.lower())[:60].strip("-") for part in parts]
    return ":".join([*filter(None, readable), digest])


class PrefectLimits:
    """One client of Prefect's API, opened when it is first needed."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._client: PrefectClient | None = None
        self._looked: dict[str, float] = {}
        self._listed: dict[str, GlobalConcurrencyLimitResponse] = {}
        self._listed_at = 0.0
        self._room = asyncio.Semaphore(AT_ONCE)

    async def close(self) -> None:
        self._client = None
        await self._stack.aclose()

    async def prepare(self, name: str, pace: Pace, provider: str) -> None:
        """The limit exists and is as the settings have it, whoever else makes it at the same time.

        Misconfigured if somebody switched it off.
        """
        create = GlobalConcurrencyLimitCreate(name=name, limit=pace.block, slot_decay_per_second=pace.rate)

        async def make(client: PrefectClient) -> bool:
            found = await self._find(client, name)
            if found is None:
                with contextlib.suppress(ObjectAlreadyExists):
                    await client.create_global_concurrency_limit(create)
                    return True
                found = await client.read_global_concurrency_limit_by_name(name)
            if (found.limit, found.slot_decay_per_second) != (pace.block, pace.rate):
                # What was taken at a higher rate would take hours to decay at a lower one.
                update = GlobalConcurrencyLimitUpdate(
                    limit=pace.block,
                    slot_decay_per_second=pace.rate,
                    active_slots=min(found.active_slots, pace.block),
                )
                await client.update_global_concurrency_limit(name, update)
            return found.active

        self._note(name, provider, active=await self._call(make, provider))

    async def _find(self, client: PrefectClient, name: str) -> GlobalConcurrencyLimitResponse | None:
        listed = time.monotonic() - self._listed_at < LOOK_SECONDS and name not in self._looked
        if listed and (name in self._listed or len(self._listed) < LISTED):
            return self._listed.get(name)
        try:
            return await client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            return None

    async def ask(self, name: str, units: int, provider: str) -> float | None:
        """None if Prefect granted so many units, else the seconds to wait before asking again.

        Misconfigured if there is no such limit.
        """

        async def increment(client: PrefectClient) -> float | None:
            try:
                answer = await client.increment_concurrency_slots([name], units, "rate_limit")
            except httpx.HTTPStatusError as error:
                if error.response.status_code == LOCKED:
                    return float(error.response.headers.get("Retry-After", 1))
                if error.response.status_code == UNPROCESSABLE:
                    raise _changed(name, provider) from error
                raise
            if not answer.json():
                raise _missing(name, provider)
            return None

        return await self._call(increment, provider)

    async def look(self, name: str, provider: str) -> None:
        """Misconfigured if the limit is gone or switched off; looked up once in a while."""
        if time.monotonic() - self._looked.get(name, -LOOK_SECONDS) < LOOK_SECONDS:
            return

        async def read(client: PrefectClient) -> bool:
            try:
                return (await client.read_global_concurrency_limit_by_name(name)).active
            except ObjectNotFound:
                raise _missing(name, provider) from None

        self._note(name, provider, active=await self._call(read, provider))

    def _note(self, name: str, provider: str, *, active: bool) -> None:
        if not active:
            raise _inactive(name, provider)
        self._looked[name] = time.monotonic()

    async def _call(self, request: Callable[[PrefectClient], Awaitable[T]], provider: str) -> T:
        """The answer, asked for again while Prefect is away; Unavailable if it stays away."""
        give_up = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                async with self._room, asyncio.timeout(ATTEMPT_SECONDS):
                    return await request(await self._opened())
            except (httpx.TransportError, httpx.HTTPStatusError, RuntimeError, TimeoutError) as error:
                refused = isinstance(error, httpx.HTTPStatusError) and error.response.status_code < SERVER_ERROR
                if refused or time.monotonic() > give_up:
                    raise _away(provider) from error
                await asyncio.sleep(0.5)

    async def _opened(self) -> PrefectClient:
        async with self._opening:
            if self._client is None:
                # Settings of its own keep it apart from the client of the flow run, which is closed before ours.
                client = await self._stack.enter_async_context(get_client(httpx_settings={"timeout": ATTEMPT_SECONDS}))
                # Alone, so that it fetches the CSRF token: of two that each fetch one the first is refused for seconds.
                limits = await client.read_global_concurrency_limits(limit=LISTED)
                self._listed, self._listed_at = {limit.name: limit for limit in limits}, time.monotonic()
                self._client = client
            return self._client


def _missing(name: str, provider: str) -> Misconfigured:
    message = f"Prefect no longer has the rate limit {name}: try again, it is made anew."
    return Misconfigured(provider, message, code="limit_missing")


def _inactive(name: str, provider: str) -> Misconfigured:
    message = f"The rate limit {name} is switched off in Prefect: switch it on there, or run syncline deploy."
    return Misconfigured(provider, message, code="limit_inactive")


def _changed(name: str, provider: str) -> Misconfigured:
    message = (
        f"The rate limit {name} was changed in Prefect while it was in use: "
        f"set SYNCLINE_{provider.upper()}_RATE_LIMITS instead, and sync again."
    )
    return Misconfigured(provider, message, code="limit_changed")


def _away(provider: str) -> Unavailable:
    message = (
        "Prefect, which shares out {provider}'s rate limits, is not answering. The next sync tries again by itself."
    )
    return Unavailable(provider, message, code="prefect_unavailable")
