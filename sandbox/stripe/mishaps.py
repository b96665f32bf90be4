"""What a fault does to a Stripe answer: instead of the work, to the page, or to the way it is sent."""

import asyncio
import re

import orjson

from sandbox import bodies
from sandbox.faults import HTML, Fault
from sandbox.stripe import changes, errors
from sandbox.stripe.accounts import Key
from sandbox.stripe.errors import Refusal
from sandbox.stripe.store import Store
from sandbox.wire import MANNERS, Answer

JSON = {"Content-Type": "application/json"}
STATUS = {"status", "html", "bare_404", "redirect", "forbid", "unauthorized"}
PAGES = {"repeat_page", "loop", "empty_more", "shift"}
KINDS = {*STATUS, *PAGES, *bodies.KINDS, *MANNERS, "hold"}


async def instead(fault: Fault, key: Key, path: str) -> Answer | None:
    """The answer that a fault gives without any work being done; None if the work is to be done."""
    options = fault.options
    if fault.kind == "hold":
        await asyncio.sleep(float(options.get("seconds", 30)))
    if fault.kind in STATUS and not options.get("perform"):
        return _refused(fault, key, path)
    return None


def asked_again(fault: Fault | None, query: str) -> str:
    """The query as a fault has it: a page that comes again, whatever cursor was sent."""
    if fault is not None and fault.kind in ("repeat_page", "loop"):
        return re.sub(r"(^|&)(starting_after|ending_before)=[^&]*", "", query).lstrip("&")
    return query


def afterwards(fault: Fault, answer: Answer, key: Key, path: str) -> Answer:
    """What becomes of the true answer."""
    if fault.kind in STATUS:
        return _refused(fault, key, path)
    if fault.kind in MANNERS:
        return Answer(answer.status, answer.body, answer.headers, fault.kind, fault.options)
    if fault.kind in bodies.KINDS:
        return bodies.other(fault, answer)
    if fault.kind == "shift":
        _shift(fault, key.store, path)
    if fault.kind in ("loop", "empty_more") and answer.status == 200:  # noqa: PLR2004 - HTTP's own number
        page = orjson.loads(answer.body)
        page |= {"has_more": True} | ({"data": []} if fault.kind == "empty_more" else {})
        return Answer(200, orjson.dumps(page), answer.headers)
    return answer


def _refused(fault: Fault, key: Key, path: str) -> Answer:
    options = fault.options
    if fault.kind == "forbid":
        return _told(errors.not_permitted(key.secret, key.store.account, path))
    if fault.kind == "unauthorized":
        return _told(errors.expired_key(key.secret))
    if fault.kind == "bare_404":
        return Answer(404, b"404 page not found\n", {"Content-Type": "text/plain"})
    if fault.kind == "redirect":
        return Answer(int(options.get("status", 302)), b"", {"Location": options["location"]})
    status = int(options.get("status", 500))
    headers = {str(name): str(value) for name, value in options.get("headers", {}).items()}
    if "retry_after" in options:
        headers["Retry-After"] = str(options["retry_after"])
    if fault.kind == "html" or options.get("html"):
        return Answer(status, HTML % (status, status), {"Content-Type": "text/html"} | headers)
    if status == 429:  # noqa: PLR2004 - HTTP's own number
        refusal = errors.too_many(str(options.get("reason", "global-rate")))
    else:
        kind = str(options.get("type", "api_error"))
        message = str(options.get("message", "An unknown error occurred"))
        refusal = Refusal(status, message, code=options.get("code"), param=options.get("param"), kind=kind)
    return _told(refusal, headers)


def _told(refusal: Refusal, headers: dict[str, str] | None = None) -> Answer:
    return Answer(refusal.status, refusal.body(errors.new_request_id()), JSON | refusal.headers | (headers or {}))


def _shift(fault: Fault, store: Store, path: str) -> None:
    """Behind every page, before the next is asked for: something comes, changes or goes."""
    options = fault.options
    stream = path.split("/")[2]
    seed = options.get("seed")
    changes.shake(
        store,
        options.get("streams", [stream]),
        seed=None if seed is None else int(seed) * 1000 + fault.met,
        times=int(options.get("changes", 1)),
        only=options.get("only"),
    )
