"""Faults on request: a queue in which each waits for the request it is meant for."""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

HTML = b"<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center></body>\r\n</html>\r\n"


@dataclass(slots=True)
class Fault:
    """What goes wrong, with which requests, and how often.

    `route` is a shell pattern for the route's template or the path. The first `after` matching requests pass, then
    `times` of them meet the fault; None means all of them until the fault is lifted.
    """

    kind: str
    method: str = "*"
    route: str = "*"
    query: str = ""
    after: int = 0
    times: int | None = 1
    options: dict[str, Any] = field(default_factory=dict)
    met: int = 0

    def meets(self, method: str, route: str, path: str, query: str) -> bool:
        """Whether this request meets the fault; counts it if it does or would have."""
        if not fnmatchcase(method, self.method) or not re.search(self.query, query):
            return False
        if not (fnmatchcase(route, self.route) or fnmatchcase(path, self.route)):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.met += 1
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The faults that wait, in the order in which they were asked for."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Have *fault* wait for its request, behind those that wait already."""
        self.waiting.append(fault)

    def take(self, method: str, route: str, path: str, query: str) -> Fault | None:
        """The first fault that this request meets."""
        for fault in self.waiting:
            if fault.meets(method, route, path, query):
                if fault.times == 0:
                    self.waiting.remove(fault)
                return fault
        return None

    def lift(self, kind: str | None = None) -> int:
        """Take back all faults that still wait, or those of one kind; says how many."""
        kept = [fault for fault in self.waiting if kind not in (None, fault.kind)]
        lifted = len(self.waiting) - len(kept)
        self.waiting = kept
        return lifted
