"""What we need to know of a record, looked up in its bytes; the record itself is never taken apart.

A record that a parser refuses is looked at by `spans`: an odd record is no reason to lose its page.
"""

from typing import Any

import msgspec

from connectors import spans


class Outline(msgspec.Struct):
    """The fields that every Stripe object has, whatever they hold."""

    id: Any = None
    object: Any = None
    created: Any = None
    deleted: Any = None


_decode = msgspec.json.Decoder(Outline).decode


def outline(record: bytes) -> Outline:
    """The outline of one record; of one that is no object, an empty outline."""
    try:
        return _decode(record)
    except msgspec.ValidationError:
        return Outline()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = spans.scalars(record)
        return Outline(*(found.get(name) for name in Outline.__struct_fields__))


def moment(value: Any) -> int | None:
    """*value* as whole Unix seconds, if that is what it is."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else None
