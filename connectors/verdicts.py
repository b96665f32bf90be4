"""What an answer comes to: a result, a fault that is worth another attempt, or an error for the user."""

from http import HTTPStatus

from connectors.answers import Answer, Parse, T, UnparsableError
from connectors.api import Api
from connectors.errors import Broken, RateLimited
from connectors.faults import Fault, Limited

_GOOD = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})
_RETRIED = frozenset({408, 409, 425, *range(500, 600)})
_REDIRECTED = (
    "{provider} answered with a redirect, which is not followed, so that credentials never go elsewhere. "
    "Check the address that is configured for {provider}."
)


def settle(api: Api, answer: Answer, parse: Parse[T], *, write: bool) -> T:
    """What *parse* makes of a good answer; Fault, Limited or a ConnectorError otherwise.

    A conflict means something to a write, so the provider's own words go first there; a read is sent again.
    """
    status = answer.status
    if status in _GOOD:
        return _parsed(answer, parse)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Limited(answer.retry_after)
    if status in _RETRIED and not (write and status == HTTPStatus.CONFLICT):
        raise Fault("server_error", answer.retry_after)
    if 300 <= status < 400:  # noqa: PLR2004 - the redirects
        raise Broken(api.title, _REDIRECTED, code="redirected")
    error = api.judge(answer) if status >= HTTPStatus.BAD_REQUEST else None
    if isinstance(error, RateLimited):
        raise Limited(answer.retry_after if error.seconds is None else error.seconds)
    raise error or Fault("garbled")


def _parsed(answer: Answer, parse: Parse[T]) -> T:
    if answer.foreign_charset:
        raise Fault("garbled")
    try:
        return parse(answer)
    except UnparsableError:
        pass
    except RateLimited as limited:  # some providers say so in an answer that looks good
        raise Limited(answer.retry_after if limited.seconds is None else limited.seconds) from None
    raise Fault("garbled")
