"""A mail as Gmail shows it: headers and parts, with bodies in base64url and attachments apart.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages#MessagePart
"""

import base64
import hashlib
import html
import re
from dataclasses import dataclass, field
from email import policy
from email.message import Message as Mail
from email.parser import BytesParser
from typing import Any

Fields = dict[str, Any]
_SNIPPET = 200
_parser = BytesParser(policy=policy.compat32)


@dataclass(slots=True)
class Parsed:
    """What Gmail makes of a mail's bytes."""

    payload: Fields
    snippet: str
    attachments: dict[str, bytes] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """A header's first value; empty if there is none."""
        lower = name.lower()
        return next((h["value"] for h in self.payload["headers"] if h["name"].lower() == lower), "")


def b64(content: bytes) -> str:
    """Base64 as Gmail writes it: URL-safe, padded."""
    return base64.urlsafe_b64encode(content).decode()


def parse(raw: bytes) -> Parsed:
    """The mail in these bytes, whatever they are."""
    mail = _parser.parsebytes(raw)
    parsed = Parsed({}, "")
    parsed.payload = _part(mail, "", parsed)
    parsed.snippet = _snippet(parsed.payload)
    return parsed


def simple(headers: list[tuple[str, str]], text: str) -> Parsed:
    """The same for a plain text of which everything is known beforehand: no parser is needed."""
    content = text.encode()
    payload = {
        "partId": "",
        "mimeType": "text/plain",
        "filename": "",
        "headers": [{"name": name, "value": value} for name, value in headers],
        "body": {"size": len(content), "data": b64(content)},
    }
    return Parsed(payload, html.escape(" ".join(text.split())[:_SNIPPET]))


def _part(mail: Mail, part_id: str, parsed: Parsed) -> Fields:
    filename = _text(mail.get_filename() or "")
    part: Fields = {
        "partId": part_id,
        "mimeType": mail.get_content_type(),
        "filename": filename,
        "headers": [{"name": name, "value": _text(str(value))} for name, value in mail.items()],
    }
    if mail.is_multipart():
        prefix = f"{part_id}." if part_id else ""
        inner: Any = mail.get_payload()
        parts = [_part(inside, f"{prefix}{number}", parsed) for number, inside in enumerate(inner)]
        return part | {"body": {"size": 0}, "parts": parts}
    content = mail.get_payload(decode=True) or b""
    if not isinstance(content, bytes):
        content = b""
    if filename or not mail.get_content_type().startswith("text/"):
        key = "ANGjdJ" + b64(hashlib.sha512(part_id.encode() + content).digest()).rstrip("=")
        parsed.attachments[key] = content
        return part | {"body": {"attachmentId": key, "size": len(content)}}
    content = _utf8(content, mail.get_content_charset())
    return part | {"body": {"size": len(content), **({"data": b64(content)} if content else {})}}


def _utf8(content: bytes, charset: str | None) -> bytes:
    """Gmail gives texts in UTF-8, whatever they came in."""
    if charset in (None, "utf-8", "us-ascii"):
        return content
    try:
        return content.decode(charset).encode()
    except (LookupError, UnicodeDecodeError):
        return content


def _text(value: str) -> str:
    """A header's value unfolded; bytes that were no text are shown as the replacement sign."""
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", value)
    return unfolded.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _snippet(part: Fields) -> str:
    for wanted in ("text/plain", "text/html"):
        if (text := _first(part, wanted)) is not None:
            if wanted == "text/html":
                text = html.unescape(re.sub(r"<[^>]*>", " ", text))
            return html.escape(" ".join(text.split())[:_SNIPPET], quote=True).replace("&#x27;", "&#39;")
    return ""


def _first(part: Fields, wanted: str) -> str | None:
    if part["mimeType"] == wanted and "data" in part["body"]:
        return base64.urlsafe_b64decode(part["body"]["data"]).decode(errors="replace")
    return next((text for inner in part.get("parts", ()) if (text := _first(inner, wanted)) is not None), None)
