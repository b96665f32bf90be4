"""What Google answers when it is asked to push."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.answers import Answer, UnparsableError
from connectors.push import Made


class _Made(msgspec.Struct):
    expiration: Any = None
    resourceId: Any = None  # noqa: N815 - Google's name


_decode = msgspec.json.Decoder(_Made).decode


def made_for(seconds: float) -> Callable[[Answer], Made]:
    """Reads when it ends, in milliseconds as a text, and by what name it is stopped.

    Where Google does not say when, it is what was asked for: so many seconds from now.
    """

    def parse(answer: Answer) -> Made:
        try:
            made = _decode(answer.content)
            ends = time.time() + seconds if made.expiration is None else int(made.expiration) / 1000
            expires_at = datetime.fromtimestamp(ends, UTC)
        except (
            msgspec.MsgspecError,
            UnicodeDecodeError,
            RecursionError,
            ValueError,
            TypeError,
            OverflowError,
            OSError,
        ):
            raise UnparsableError from None
        return Made(expires_at, made.resourceId if isinstance(made.resourceId, str) else None)

    return parse
