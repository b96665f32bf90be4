"""The one way to a provider: every request takes this path, and no other module speaks HTTP.

Take from the throttle, send, read within the deadline and the cap, judge, try again what is worth it, record.
No redirects, no cookies, no proxies from the environment; exceptions and logs hold neither queries nor credentials.
"""

import asyncio
import functools
import logging
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx

from connectors.answers import Answer, Parse, T
from connectors.api import Api
from connectors.body import CAP, CutShortError, TooLargeError, read_body
from connectors.errors import (
    AccessExpired,
    Broken,
    ConnectorError,
    Misconfigured,
    RateLimited,
    Reconnect,
    Refused,
    TryLater,
    Unproved,
    Unsent,
)
from connectors.faults import Fault, Limited, word_of
from connectors.request import Request, get
from connectors.retry import Patience, patience, repeat
from connectors.session import Bucket, RequestRecord, Session
from connectors.verdicts import settle

_log = logging.getLogger(__name__)
logging.getLogger("httpcore").setLevel(logging.WARNING)  # its traces hold whole headers, whatever they hold
_CONNECTIONS = httpx.Limits(max_connections=50, max_keepalive_connections=50, keepalive_expiry=30.0)
_SLOW_DOWN = "{provider} asked us to slow down, so nothing was done there. Try again in a moment."
_TIMEOUTS = {"connect": 10.0, "read": None, "write": None, "pool": None}  # the deadline is for the whole


class Client:
    """Speaks to one provider for one account. An async context manager; for one event loop."""

    def __init__(self, api: Api, session: Session) -> None:
        self.api = api
        self.session = session
        self._patience: Patience = patience()
        self._origin = httpx.URL(api.origin)
        self._sign_in(session.credentials)
        self._renewing = asyncio.Lock()
        self._large = asyncio.Lock()
        self._buckets: dict[tuple[str, str], Sequence[Bucket]] = {}
        secure = api.origin.startswith("https:")
        self._transport = httpx.AsyncHTTPTransport(
            verify=_tls() if secure else False,  # plain http is for loopback alone, check_origin sees to it
            trust_env=False,
            limits=_CONNECTIONS,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        await self._transport.aclose()

    async def get(
        self, route: str, parse: Parse[T], params: Mapping[str, str | int] | None = None, **path_values: str
    ) -> T:
        """What *parse* makes of the answer. *route* is a template; its values are percent-encoded into the path.

        Raises only ConnectorErrors: RateLimited and Unavailable after all patience, the others at once.
        """
        return await self.ask(get(route, params, **path_values), parse)

    async def ask(self, request: Request, parse: Parse[T]) -> T:
        """The same for a read that was built elsewhere."""
        try:
            return await self._repeated(request, parse, write=False)
        except Fault as fault:
            last = fault
        raise last.as_told(self.api.title) from None

    async def send(self, request: Request, parse: Parse[T], *, repeatable: bool = False) -> T:
        """What *parse* makes of the answer to a write, which is sent once, or patiently where it is *repeatable*.

        Raises Unsent when it certainly did not happen, Unproved when nobody knows, else what the provider's refusal
        means.
        """
        certain = True
        last: ConnectorError = Unproved(self.api.title)

        def noted(fault: Fault) -> None:
            nonlocal certain
            certain = certain and fault.unsent

        try:
            if repeatable:
                return await self._repeated(request, parse, write=True, noted=noted)
            return await self._signed_in(request, parse, 1, write=True)
        except Fault as fault:
            noted(fault)
            if certain:
                last = Unsent(self.api.title, _SLOW_DOWN if isinstance(fault, Limited) else None, seconds=fault.seconds)
        except TryLater as later:  # no allowance or no new token was to be had
            if certain:
                last = Unsent(self.api.title, _not_tried(later), seconds=getattr(later, "seconds", None))
        except ConnectorError as error:
            # Of an answer too large nothing was read; and whoever is refused entry does not hear what became of the
            # attempts before.
            shut_out = not certain and isinstance(error, Reconnect | Refused | Misconfigured)
            last = last if shut_out or error.code == "too_large" else error
        raise last from None

    async def _repeated(
        self, request: Request, parse: Parse[T], *, write: bool, noted: Callable[[Fault], None] | None = None
    ) -> T:
        """Sent again for as long as that may help; then the last Fault. *noted* is told of each."""
        started: float | None = None

        def again(failure: BaseException, attempt: int) -> bool | float:
            """Limits wait in the throttle, up to the session's deadline; other faults wait here, up to the budget."""
            nonlocal started
            if not isinstance(failure, Fault):
                return False
            if noted:
                noted(failure)
            now = time.monotonic()
            if isinstance(failure, Limited):
                return 0.0 if now + (failure.seconds or 0.0) < self.session.deadline else False
            started = started or now
            wait = self._patience.back_off(attempt) if failure.seconds is None else failure.seconds
            return wait if now + wait < min(started + self._patience.budget, self.session.deadline) else False

        attempts = 0

        async def attempt() -> T:
            nonlocal attempts
            attempts += 1
            return await self._signed_in(request, parse, attempts, write=write)

        return await repeat(attempt, again, self._patience.back_off)

    async def _signed_in(self, request: Request, parse: Parse[T], attempt: int, *, write: bool) -> T:
        """One attempt; a second one with renewed credentials when they had expired."""
        credentials = self._credentials
        try:
            return await self._once(request, parse, attempt, write=write)
        except AccessExpired:
            if self.session.renew is None:
                raise
            await self._renew(credentials)
        return await self._once(request, parse, attempt, write=write)

    async def _renew(self, refused: Mapping[str, str]) -> None:
        """The client has other credentials than the refused ones: of several requests only one renews them."""
        async with self._renewing:
            if self._credentials is refused and self.session.renew:
                self._sign_in(await self.session.renew(refused))

    def _sign_in(self, credentials: Mapping[str, str]) -> None:
        self._headers = self.api.sent_headers(credentials)
        self._credentials = credentials

    async def _once(self, request: Request, parse: Parse[T], attempt: int, *, write: bool) -> T:
        """One exchange, recorded whatever becomes of it."""
        buckets = self._buckets_of(request.method, request.route)
        asked = time.perf_counter()
        if buckets:  # a token endpoint publishes no limits
            await self.session.throttle.take(buckets, self.session.deadline)
        at, began, status, word = datetime.now(UTC), time.perf_counter(), None, "cancelled"
        waited = began - asked
        try:
            answer = await self._exchange(request)
            status = answer.status
            result = settle(self.api, answer, parse, write=write)
            word = ""
        except Limited as limited:
            word = limited.word
            limited.seconds = self._pause_for(limited.seconds, attempt)
            if buckets:
                await self.session.throttle.pause(self.api.paused(answer, buckets), limited.seconds)
            raise
        except Fault as fault:
            word = fault.word
            raise
        except ConnectorError as error:
            word = error.code
            raise
        finally:
            took = time.perf_counter() - began
            self._record(request, status, word, at, took=took, waited=waited)
        return result

    def _record(
        self, request: Request, status: int | None, word: str, at: datetime, *, took: float, waited: float
    ) -> None:
        name, method, route = self.api.connector, request.method, request.route
        milliseconds = int(took * 1000)
        self.session.record(
            RequestRecord(name, method, route, status, milliseconds, word or None, at, int(waited * 1000))
        )
        if word:
            _log.debug("request failed connector=%s route=%s status=%s word=%s", name, route, status, word)

    async def _exchange(self, request: Request) -> Answer:
        """Send and read to the end; Fault when there is no whole answer within the deadline, Broken past the cap."""
        unsent = False
        try:
            async with asyncio.timeout(self._patience.attempt):
                return await self._transmit(request)
        except TimeoutError:
            word = "timeout"
        except TooLargeError:
            word = "too_large"
        except CutShortError:
            word = "cut"
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            word = word_of(error)
            unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        if word == "too_large":
            raise Broken(
                self.api.title,
                "{provider} sent an answer larger than " + f"{CAP // 1024**2} MiB, which is not read. "
                "What was read before is kept: sync again later.",
                code=word,
            )
        raise Fault(word, unsent=unsent)

    async def _transmit(self, asked: Request) -> Answer:
        # The transport itself, not httpx' client: no redirects, cookies, proxies or log lines, and half the time.
        extensions = {"timeout": _TIMEOUTS, "target": asked.target}
        headers = [*self._headers, *((name.encode(), value.encode()) for name, value in asked.headers.items())]
        request = httpx.Request(
            asked.method, self._origin, headers=headers, content=asked.body or None, extensions=extensions
        )
        began = time.perf_counter()
        response = await self._transport.handle_async_request(request)
        stream, received = response.stream, response.headers
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - for the type checker alone
        try:
            if _declared_length(received) > CAP:
                raise TooLargeError
            content = await read_body(stream, received.get("content-encoding", ""), self._large)
        finally:
            with suppress(Exception):
                await stream.aclose()
        return Answer(response.status_code, content, received, time.perf_counter() - began)

    def _pause_for(self, seconds: float | None, attempt: int) -> float:
        """As long as the provider said, but from the second refusal on never less than our own back-off."""
        own = self._patience.back_off(attempt)
        if seconds is None:
            return own
        return seconds if attempt == 1 else max(seconds, own)

    def _buckets_of(self, method: str, route: str) -> Sequence[Bucket]:
        known = self._buckets.get((method, route))
        if known is None:
            known = self._buckets[method, route] = self.api.buckets(method, route)
        return known


def _not_tried(later: TryLater) -> str:
    """Why a write was not even tried."""
    if isinstance(later, RateLimited):
        return "Nothing was done at {provider}: Prefect had no room within its limits just now. Try again in a moment."
    return "Nothing was done at {provider}: " + str(later).partition(". ")[0].rstrip(".") + ". Try again in a moment."


def _declared_length(headers: Mapping[str, str]) -> int:
    said = headers.get("content-length", "")
    return int(said) if said.isdecimal() and len(said) < 20 else 0  # noqa: PLR2004 - digits of 64 bits


@functools.cache
def _tls() -> ssl.SSLContext:
    """Trust in public certificates; made once a process, it takes 20 ms."""
    return httpx.create_ssl_context(trust_env=False)
