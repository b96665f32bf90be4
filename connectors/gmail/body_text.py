"""The text of a message, as a person would read it, found in its parts; never an attachment.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages#Message.MessagePart
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import Any

from connectors.gmail.html_text import html_text

MOST = 100_000
"""So many characters are kept: nobody searches beyond them, and an index takes no more."""

_DEEPEST = 30
_MOST_PARTS = 1_000
_MOST_ENCODED = 2_000_000
"""Characters of base64 that are looked at in one part."""
_UNHOLDABLE = re.compile("[\0\ud800-\udfff]")
_SEVEN_BIT = ("iso-2022", "iso2022", "hz", "utf-7", "utf7", "utf-16", "utf16", "utf-32", "utf32")
_NO_CHARSETS = ("punycode", "idna", "unicode_escape", "unicode-escape", "raw_unicode", "raw-unicode", "undefined")


def body_text(payload: object) -> str | None:
    """The text below *payload*, shortened to MOST characters; None when there is none."""
    parts = [_MOST_PARTS]
    found = "\n\n".join(text for text in _texts(payload, 0, parts) if text)
    return clean(found)[:MOST].strip() or None


def clean(text: str) -> str:
    """The text without what no database can hold."""
    return _UNHOLDABLE.sub("\ufffd", text)


def headers_of(part: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a part by their names in small letters; of several with one name the first."""
    found: dict[str, str] = {}
    headers = part.get("headers")
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, dict):
            name, value = header.get("name"), header.get("value")
            if isinstance(name, str) and isinstance(value, str):
                found.setdefault(name.strip().lower(), value)
    return found


def _texts(part: object, depth: int, left: list[int]) -> Iterator[str]:
    """The texts of a part and of those inside it, in their order; of alternatives the one that is best to read."""
    left[0] -= 1
    if not isinstance(part, dict) or depth > _DEEPEST or left[0] < 0 or _is_attachment(part):
        return
    kind = _kind(part)
    inside = part.get("parts")
    if isinstance(inside, list) and inside:
        if kind == "multipart/alternative":
            yield _best(inside, depth, left)
        else:
            for each in inside:
                yield from _texts(each, depth + 1, left)
    elif kind in {"text/plain", "text/html", ""}:
        text = _decoded(part)
        yield html_text(text) if kind == "text/html" else text.replace("\r\n", "\n").strip()


def _best(parts: list[Any], depth: int, left: list[int]) -> str:
    """Plain text where there is some, else the last alternative that has any."""
    plain, best = "", ""
    for part in parts:
        text = "\n\n".join(each for each in _texts(part, depth + 1, left) if each)
        if text and _kind(part) == "text/plain":
            plain = plain or text
        best = text or best
    return plain or best


def _kind(part: object) -> str:
    kind = part.get("mimeType") if isinstance(part, dict) else None
    return kind.lower() if isinstance(kind, str) else ""


def _is_attachment(part: Mapping[str, Any]) -> bool:
    if part.get("filename"):
        return True
    return headers_of(part).get("content-disposition", "").strip().lower().startswith("attachment")


def _decoded(part: Mapping[str, Any]) -> str:
    body = part.get("body")
    data = body.get("data") if isinstance(body, dict) else None
    return _read(_bytes(data), _charset(part)) if isinstance(data, str) else ""


def _bytes(data: str) -> bytes:
    """What base64url stands for, as far as it is any."""
    wanted = data[:_MOST_ENCODED].translate(_TO_PLAIN)
    whole = re.sub(r"[^A-Za-z0-9+/]", "", wanted)
    try:
        return base64.b64decode(whole[: len(whole) - (len(whole) % 4 == 1)] + "==")
    except (binascii.Error, ValueError):
        return b""


_TO_PLAIN = str.maketrans("-_", "+/")


def _charset(part: Mapping[str, Any]) -> str:
    message = Message()
    try:
        message["content-type"] = headers_of(part).get("content-type", "")[:1000]
        said = message.get_content_charset() or ""
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    return "" if "\0" in said or said.startswith(_NO_CHARSETS) else said


def _read(content: bytes, charset: str) -> str:
    """UTF-8 where it is that, for Gmail may have converted it; else what the header says; never an error."""
    tries = ["utf-8", charset] if not charset.startswith(_SEVEN_BIT) else [charset, "utf-8"]
    for name in filter(None, tries):
        try:
            return content.decode(name)
        except (LookupError, ValueError):
            continue
    try:
        return content.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")
