"""What Google answers when it is asked to push."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.answers import Answer, UnparsableError
from connectors.push import Made


class _Made(msgspec.Struct):
    expiration: Any
    resourceId: Any = None  # noqa: N815 - Google's name


_decode = msgspec.json.Decoder(_Made).decode


def parse_made(answer: Answer) -> Made:
    """When it ends, in milliseconds as a text, and by what name it is stopped."""
    try:
        made = _decode(answer.content)
        expires_at = datetime.fromtimestamp(int(made.expiration) / 1000, UTC)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, TypeError, OverflowError, OSError):
        raise UnparsableError from None
    return Made(expires_at, made.resourceId if isinstance(made.resourceId, str) else None)
