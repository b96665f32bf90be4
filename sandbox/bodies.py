"""What a fault makes of the body of a true answer, whichever provider gave it."""

import base64
from typing import Any

from sandbox.faults import HTML, Fault
from sandbox.wire import Answer, packed

KINDS = {"empty", "html_200", "charset", "array", "gzip", "body", "not_json"}


def other(fault: Fault, answer: Answer) -> Answer:
    """The answer with another body."""
    if fault.kind == "body":
        return _given(fault.options, answer)
    html = {"Content-Type": "text/html"}
    gzip = answer.headers | {"Content-Encoding": "gzip"}
    return {
        "empty": Answer(200, b"", answer.headers),
        "html_200": Answer(200, HTML % (200, 200), html),
        "charset": Answer(200, answer.body.decode(errors="replace").encode("utf-16"), answer.headers),
        "array": Answer(200, b"[%s]" % answer.body, answer.headers),
        "gzip": Answer(answer.status, packed(answer.body), gzip),
        "not_json": Answer(200, answer.body[: len(answer.body) // 2], answer.headers),
    }[fault.kind]


def _given(options: dict[str, Any], answer: Answer) -> Answer:
    """Exactly the bytes that the test gave, in base64."""
    headers = answer.headers | {str(name): str(value) for name, value in options.get("headers", {}).items()}
    return Answer(int(options.get("status", 200)), base64.b64decode(options["body"]), headers)
