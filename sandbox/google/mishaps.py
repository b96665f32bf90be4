"""What a fault does to an answer of Google's: instead of the work, to the page, or to the way it is sent."""

import asyncio
from typing import Any

import orjson

from sandbox import bodies
from sandbox.faults import HTML, Fault
from sandbox.google.errors import Failed
from sandbox.wire import MANNERS, Answer

JSON = {"Content-Type": "application/json; charset=UTF-8", "Vary": "Origin, X-Origin, Referer", "Server": "ESF"}
REFUSALS = {"status", "html", "bare_404", "redirect", "error"}
PAGES = {"repeat_page", "loop", "empty_more", "shift"}
KINDS = {*REFUSALS, *PAGES, *bodies.KINDS, *MANNERS, "hold"}
_ITEMS = ("items", "messages", "history", "threads")


async def instead(fault: Fault) -> Answer | None:
    """The answer that a fault gives without any work being done; None if the work is to be done."""
    if fault.kind == "hold":
        await asyncio.sleep(float(fault.options.get("seconds", 30)))
    if fault.kind in REFUSALS and not fault.options.get("perform"):
        return _refused(fault)
    return None


def asked_again(fault: Fault | None, params: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters as a fault has them: a page that comes again, whatever page was asked for."""
    if fault is not None and fault.kind in ("repeat_page", "loop", "empty_more"):
        return [(name, value) for name, value in params if name != "pageToken"]
    return params


def afterwards(fault: Fault, answer: Answer) -> Answer:
    """What becomes of the true answer. The work was done, so that a write whose answer is lost has happened."""
    if fault.kind in REFUSALS:
        return _refused(fault)
    if fault.kind in MANNERS:
        return Answer(answer.status, answer.body, answer.headers, fault.kind, fault.options)
    if fault.kind in bodies.KINDS:
        return bodies.other(fault, answer)
    if fault.kind in ("loop", "empty_more"):
        return _endless(answer, empty=fault.kind == "empty_more")
    return answer


def _endless(answer: Answer, *, empty: bool) -> Answer:
    """The page, with more to come whatever there is."""
    page: dict[str, Any] = orjson.loads(answer.body)
    if empty:
        page |= {name: [] for name in _ITEMS if name in page}
    page.pop("nextSyncToken", None)
    return Answer(answer.status, orjson.dumps(page | {"nextPageToken": "CigKGmxvb3A"}), answer.headers)


def _refused(fault: Fault) -> Answer:
    options = fault.options
    if fault.kind == "bare_404":
        return Answer(404, b"404 page not found\n", {"Content-Type": "text/plain"})
    if fault.kind == "redirect":
        return Answer(int(options.get("status", 302)), b"", {"Location": options["location"]})
    status = int(options.get("status", 400 if "oauth" in options else 500))
    headers = {str(name): str(value) for name, value in options.get("headers", {}).items()}
    if "retry_after" in options:
        headers["Retry-After"] = str(options["retry_after"])
    if fault.kind == "html" or options.get("html"):
        return Answer(status, HTML % (status, status), {"Content-Type": "text/html"} | headers)
    if "oauth" in options:  # the token endpoint has errors of its own kind
        said = {"error": options["oauth"], "error_description": options.get("message", "Bad Request")}
        return Answer(status, orjson.dumps(said), JSON | headers)
    reason, message = options.get("reason", "backendError"), options.get("message", "Backend Error")
    failed = Failed(status, str(reason), str(message), domain=str(options.get("domain", "global")))
    return Answer(status, failed.body(), JSON | headers)
