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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, urlencode

import httpx

from connectors.answers import Answer, UnparsableError
from connectors.body import CAP, CutShortError, TooLargeError, read_body
from connectors.errors import Broken, ConnectorError, Misconfigured, RateLimited, Reconnect
from connectors.faults import Fault, unavailable, word_of
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
class Api:
    """What sets one provider's HTTP apart from another's."""

    connector: str
    title: str
    origin: str
    """Scheme, host and port: the only place that requests are sent to."""
    headers: Mapping[str, str] = field(repr=False)
    """Sent with every request, credentials among them."""
    buckets: Callable[[str, str], Sequence[Bucket]]
    """The allowances that a method and a route's template draw on."""
    judge: Callable[[Answer], ConnectorError | None]
    """What a refusal means; None when it is not in the provider's own words, so that it proves nothing."""
    paused: Callable[[Answer, Sequence[Bucket]], Sequence[Bucket]]
    """Which of a request's buckets a "too many requests" is about."""


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
        self._headers = _checked_headers(api)
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
        sending = _Sending("GET", route, _target(route, params, path_values), self._buckets_of("GET", route))
        started: float | None = None

        def again(failure: BaseException, attempt: int) -> bool | float:
            """Limits wait in the throttle, up to the session's deadline; other faults wait here, up to the budget."""
            nonlocal started
            if isinstance(failure, RateLimited):
                return self._may_wait(failure.seconds or 0.0) and 0.0
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
            word = fault.word
        raise unavailable(self.api.title, word)  # outside, so that nothing of the transport's hangs on to it

    async def _once(self, sending: _Sending, parse: Parse[T], attempt: int) -> T:
        """One attempt, recorded whatever becomes of it."""
        await self.session.throttle.take(sending.buckets, self.session.deadline)
        at, began, status, word = datetime.now(UTC), time.perf_counter(), None, "cancelled"
        try:
            answer = await self._exchange(sending)
            status = answer.status
            result = self._settle(answer, parse)
            word = ""
        except Fault as fault:
            word = fault.word
            raise
        except RateLimited as limited:
            word = limited.code
            limited.seconds = self._pause_for(limited.seconds, attempt)
            await self.session.throttle.pause(self.api.paused(answer, sending.buckets), limited.seconds)
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
            raise RateLimited(self.api.title, answer.retry_after)
        if status in _RETRIED:
            raise Fault("server_error", answer.retry_after)
        if 300 <= status < 400:  # noqa: PLR2004 - the redirects
            raise Broken(self.api.title, _REDIRECTED, code="redirected")
        error = self.api.judge(answer) if status >= httpx.codes.BAD_REQUEST else None
        if isinstance(error, RateLimited):
            error.seconds = answer.retry_after
        raise error or Fault("garbled")

    def _pause_for(self, seconds: float | None, attempt: int) -> float:
        """As long as the provider said, but from the second refusal on never less than our own back-off."""
        own = self._patience.back_off(attempt)
        if seconds is None:
            return own
        return seconds if attempt == 1 else max(seconds, own)

    def _may_wait(self, seconds: float) -> bool:
        return time.monotonic() + seconds < self.session.deadline

    def _buckets_of(self, method: str, route: str) -> Sequence[Bucket]:
        known = self._buckets.get(route)
        if known is None:
            known = self._buckets[route] = self.api.buckets(method, route)
        return known


_REDIRECTED = (
    "{provider} answered with a redirect, which is not followed, so that credentials never go elsewhere. "
    "Check the address that is configured for {provider}."
)


def _target(route: str, params: Mapping[str, str | int] | None, values: Mapping[str, str]) -> bytes:
    """Path and query as they are sent; the host is never part of it."""
    path = route.format_map({name: _segment(value) for name, value in values.items()}) if values else route
    return f"{path}?{urlencode(params)}".encode() if params else path.encode()


def _segment(value: str) -> str:
    """One segment of a path and never more: no slash, no dots that climb."""
    encoded = quote(value.encode("utf-8", "surrogatepass"), safe="")
    return encoded.replace(".", "%2E") if encoded.strip(".") == "" else encoded


def _checked_headers(api: Api) -> list[tuple[bytes, bytes]]:
    """The headers as they are sent; Reconnect when a value could not be one, so that nothing is smuggled in."""
    headers = {"accept": "application/json", "accept-encoding": "gzip", "user-agent": "syncline"}
    headers |= {name.lower(): value for name, value in api.headers.items()}
    for value in headers.values():
        if not value.isascii() or not value.isprintable():
            raise Reconnect(
                api.title,
                "These {provider} credentials hold characters that no key has, such as line breaks or accents. "
                "Copy the key again, whole and alone, and connect once more.",
                code="malformed_credentials",
            )
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _declared_length(headers: Mapping[str, str]) -> int:
    said = headers.get("content-length", "")
    return int(said) if said.isdecimal() and len(said) < 20 else 0  # noqa: PLR2004 - digits of 64 bits


@functools.cache
def _tls() -> ssl.SSLContext:
    """Trust in public certificates; made once a process, it takes 20 ms."""
    return httpx.create_ssl_context(trust_env=False)


def check_origin(title: str, variable: str, url: str) -> str:
    """*url* as an origin: https, or http on loopback. Misconfigured, naming *variable*, when it is anything else."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    bare = parsed.path in {"", "/"} and not parsed.query and not parsed.fragment and not parsed.userinfo
    loopback = parsed.host in {"localhost", "127.0.0.1", "::1"}
    if not parsed.host or not bare or not (parsed.scheme == "https" or (parsed.scheme == "http" and loopback)):
        raise Misconfigured(
            title,
            f"{variable} must be an address such as https://api.example.com, without a path; "
            "http is only for this machine.",
        )
    return f"{parsed.scheme}://{parsed.netloc.decode()}"
