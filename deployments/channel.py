"""How the supervisor and its own Python processes talk: lines on stdin and stdout.

Whatever else such a process prints goes to its log, as does what the processes that it starts print.
"""

import json
import os
import sys
from typing import Any, TextIO


class Channel:
    """A child's end."""

    def __init__(self) -> None:
        self._out: TextIO = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def send(self, message: dict[str, Any]) -> None:
        self._out.write(json.dumps(message, default=str) + "\n")

    def wait(self) -> dict[str, Any]:
        """The supervisor's next word; SystemExit when it is gone."""
        line = sys.stdin.readline()
        if not line:
            raise SystemExit(0)
        message: dict[str, Any] = json.loads(line)
        return message
