"""A record's bytes, when its row needs to know what the provider says beside it, such as the channel or calendar."""

import json
from collections.abc import Mapping
from typing import Any


def with_members(record: bytes, members: Mapping[str, Any]) -> bytes:
    """The record with these members behind its own, so that they win; what is no object stays as it is.

    The rest is not looked at: whatever is in the record is passed on as it was sent.
    """
    record = record.strip(b" \t\r\n")
    if not members or not (record.startswith(b"{") and record.endswith(b"}")):
        return record
    own = record[:-1].rstrip(b" \t\r\n")
    comma = b"" if own == b"{" else b","
    return own + comma + json.dumps(dict(members)).encode()[1:]
