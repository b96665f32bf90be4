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
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar

import httpx

from connectors.addresses import target
from connectors.answers import Answer, UnparsableError
from connectors.api import Api
from connectors.body import CAP, CutShortError, TooLargeError, read_body
from connectors.errors import Broken, ConnectorError, RateLimited
from connectors.faults import Fault, Limited, word_of
from connectors.retry import Patience, patience, repeat
from connectors.session import Bucket, RequestRecord, Session

T = TypeVar("T")

Parse = Callable[[Answer], T]
"""Makes something of a good answer, or raises UnparsableError: then the request is sent again."""

_log = logging.getLogger(__name__)
logging.getLogger("httpcore").setLevel(logging.WARNING)  # its traces hold whole headers, whatever they hold
_RETRIED = frozenset({408, 409, 425, *range(500, 600)})
_CONNECTIONS = httpx.Limits(max_connections=50, max_keepalive_connections=50, keepalive_expiry=30.0)
_TIMEOUTS = {"connect": 10.0, "read": None, "write": None, "pool": None}  # the deadline is for the whole


@dataclass(frozen=True, slots=True)
class _Sending:
    """One request, ready to be sent as often as it takes."""

    method: str
    route: str
    target: bytes
    buckets: Sequence[Bucket]


class Client:
    """Speaks to one provider for one account. An async context manager; for one event loop."""

    def __init__(self, api: Api, session: Session) -> None:
        self.api = api
        self.session = session
        self._patience: Patience = patience()
        self._origin = httpx.URL(api.origin)
        self._headers = api.sent_headers()
        self._buckets: dict[str, Sequence[Bucket]] = {}
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
        sending = _Sending("GET", route, target(route, params, path_values), self._buckets_of("GET", route))
        started: float | None = None

        def again(failure: BaseException, attempt: int) -> bool | float:
            """Limits wait in the throttle, up to the session's deadline; other faults wait here, up to the budget."""
            nonlocal started
            if isinstance(failure, Limited):
                return 0.0 if time.monotonic() + (failure.seconds or 0.0) < self.session.deadline else False
            if not isinstance(failure, Fault):
                return False
            now = time.monotonic()
            started = started or now
            wait = self._patience.back_off(attempt) if failure.seconds is None else failure.seconds
            return wait if now + wait < min(started + self._patience.budget, self.session.deadline) else False

        attempts = 0

        async def attempt() -> T:
            nonlocal attempts
            attempts += 1
            return await self._once(sending, parse, attempts)

        try:
            return await repeat(attempt, again, self._patience.back_off)
        except Fault as fault:
            last = fault
        raise last.as_told(self.api.title) from None

    async def _once(self, sending: _Sending, parse: Parse[T], attempt: int) -> T:
        """One attempt, recorded whatever becomes of it."""
        await self.session.throttle.take(sending.buckets, self.session.deadline)
        at, began, status, word = datetime.now(UTC), time.perf_counter(), None, "cancelled"
        try:
            answer = await self._exchange(sending)
            status = answer.status
            result = self._settle(answer, parse)
            word = ""
        except Limited as limited:
            word = limited.word
            limited.seconds = self._pause_for(limited.seconds, attempt)
            await self.session.throttle.pause(self.api.paused(answer, sending.buckets), limited.seconds)
            raise
        except Fault as fault:
            word = fault.word
            raise
        except ConnectorError as error:
            word = error.code
            raise
        finally:
            self._record(sending, at, began, status, word)
        return result

    def _record(self, sending: _Sending, at: datetime, began: float, status: int | None, word: str) -> None:
        took = int((time.perf_counter() - began) * 1000)
        name = self.api.connector
        self.session.record(RequestRecord(name, sending.method, sending.route, status, took, word or None, at))
        if word:
            _log.debug("request failed connector=%s route=%s status=%s word=%s", name, sending.route, status, word)

    async def _exchange(self, sending: _Sending) -> Answer:
        """Send and read to the end; Fault when there is no whole answer within the deadline, Broken past the cap."""
        try:
            async with asyncio.timeout(self._patience.attempt):
                return await self._send(sending)
        except TimeoutError:
            word = "timeout"
        except TooLargeError:
            word = "too_large"
        except CutShortError:
            word = "cut"
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            word = word_of(error)
        if word == "too_large":
            raise Broken(
                self.api.title,
                "{provider} sent an answer larger than " + f"{CAP // 1024**2} MiB, which is not read. "
                "What was read before is kept: sync again later.",
                code=word,
            )
        raise Fault(word)

    async def _send(self, sending: _Sending) -> Answer:
        # The transport itself, not httpx' client: no redirects, cookies, proxies or log lines, and half the time.
        extensions = {"timeout": _TIMEOUTS, "target": sending.target}
        request = httpx.Request(sending.method, self._origin, headers=self._headers, extensions=extensions)
        response = await self._transport.handle_async_request(request)
        stream, headers = response.stream, response.headers
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - for the type checker alone
        try:
            if _declared_length(headers) > CAP:
                raise TooLargeError
            content = await read_body(stream, headers.get("content-encoding", ""))
        finally:
            with suppress(Exception):
                await stream.aclose()
        return Answer(response.status_code, content, headers)

    def _settle(self, answer: Answer, parse: Parse[T]) -> T:
        """What the answer comes to: a result, a Fault that is worth another attempt, or an error for the user."""
        status = answer.status
        if status == httpx.codes.OK:
            if answer.foreign_charset:
                raise Fault("garbled")
            try:
                return parse(answer)
            except UnparsableError:
                pass
            raise Fault("garbled")
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise Limited(answer.retry_after)
        if status in _RETRIED:
            raise Fault("server_error", answer.retry_after)
        if 300 <= status < 400:  # noqa: PLR2004 - the redirects
            raise Broken(self.api.title, _REDIRECTED, code="redirected")
        error = self.api.judge(answer) if status >= httpx.codes.BAD_REQUEST else None
        if isinstance(error, RateLimited):
            raise Limited(answer.retry_after)
        raise error or Fault("garbled")

    def _pause_for(self, seconds: float | None, attempt: int) -> float:
        """As long as the provider said, but from the second refusal on never less than our own back-off."""
        own = self._patience.back_off(attempt)
        if seconds is None:
            return own
        return seconds if attempt == 1 else max(seconds, own)

    def _buckets_of(self, method: str, route: str) -> Sequence[Bucket]:
        known = self._buckets.get(route)
        if known is None:
            known = self._buckets[route] = self.api.buckets(method, route)
        return known


_REDIRECTED = (
    "{provider} answered with a redirect, which is not followed, so that credentials never go elsewhere. "
    "Check the address that is configured for {provider}."
)


def _declared_length(headers: Mapping[str, str]) -> int:
    said = headers.get("content-length", "")
    return int(said) if said.isdecimal() and len(said) < 20 else 0  # noqa: PLR2004 - digits of 64 bits


@functools.cache
def _tls() -> ssl.SSLContext:
    """Trust in public certificates; made once a process, it takes 20 ms."""
    return httpx.create_ssl_context(trust_env=False)
