"""A program's hand on the sandbox: a call of its control API."""

import json
import urllib.request
from typing import Any

SECONDS = 30.0

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback, whatever proxy the machine has


def control(url: str, provider: str, call: str, **body: Any) -> Any:
    """What a call of that provider's control API answers at the sandbox behind *url*."""
    said = json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/_sandbox/{provider}/{call}", said, method="POST")  # noqa: S310 -- ours
    with _OPENER.open(request, timeout=SECONDS) as answer:
        return json.load(answer)
