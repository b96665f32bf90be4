"""What a fault does to a Slack answer: instead of the work, to the page, or to the way it is sent."""

import asyncio
from typing import Any

import orjson

from sandbox import bodies
from sandbox.faults import HTML, Fault
from sandbox.slack import shaking
from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import Failed
from sandbox.slack.workspace import Workspace
from sandbox.wire import MANNERS, Answer

JSON = {"Content-Type": "application/json; charset=utf-8"}
REFUSALS = {"status", "html", "bare_404", "redirect", "error"}
PAGES = {"repeat_page", "loop", "empty_more", "shift"}
KINDS = {*REFUSALS, *PAGES, *bodies.KINDS, *MANNERS, "hold"}


async def instead(fault: Fault) -> Answer | None:
    """The answer that a fault gives without any work being done; None if the work is to be done."""
    if fault.kind == "hold":
        await asyncio.sleep(float(fault.options.get("seconds", 30)))
    if fault.kind in REFUSALS and not fault.options.get("perform"):
        return _refused(fault)
    return None


def asked_again(fault: Fault | None, said: Arguments) -> Arguments:
    """The arguments as a fault has them: a page that comes again, whatever cursor was sent."""
    if fault is not None and fault.kind in ("repeat_page", "loop"):
        return Arguments((name, value) for name, value in said.items() if name != "cursor")
    return said


def afterwards(fault: Fault, answer: Answer, workspace: Workspace) -> Answer:
    """What becomes of the true answer. The work was done, so that a write whose answer is lost has happened."""
    if fault.kind in REFUSALS:
        return _refused(fault)
    if fault.kind in MANNERS:
        return Answer(answer.status, answer.body, answer.headers, fault.kind, fault.options)
    if fault.kind in bodies.KINDS:
        return bodies.other(fault, answer)
    if fault.kind == "shift":
        seed, options = fault.options.get("seed"), fault.options
        seed = None if seed is None else int(seed) * 1000 + fault.met
        shaking.shake(workspace, seed=seed, times=int(options.get("changes", 1)), only=options.get("only"))
    if fault.kind in ("loop", "empty_more"):
        return _endless(answer, empty=fault.kind == "empty_more")
    return answer


def _endless(answer: Answer, *, empty: bool) -> Answer:
    """The page, with more to come whatever there is."""
    page: dict[str, Any] = orjson.loads(answer.body)
    if empty:
        page |= {name: [] for name in ("messages", "channels", "members") if name in page}
    if "has_more" in page:
        page["has_more"] = True
    page["response_metadata"] = {"next_cursor": "bmV4dF90czoxNTEyMDg1ODYxMDAwNTQz"}
    return Answer(answer.status, orjson.dumps(page), answer.headers)


def _refused(fault: Fault) -> Answer:
    options = fault.options
    if fault.kind == "error":
        fields = {name: value for name, value in options.items() if name not in ("error", "perform")}
        return Answer(200, Failed(str(options["error"]), **fields).body(), dict(JSON))
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
    word = "ratelimited" if status == 429 else "internal_error"  # noqa: PLR2004 - HTTP's own number
    return Answer(status, Failed(str(options.get("error", word))).body(), JSON | headers)
