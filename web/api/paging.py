"""Where a list goes on, as an opaque word."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query

from storage.connection_lists import Place
from web.problems import Problem

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=200, description="The `next` of the part before.")]


def word(place: Place | None) -> str | None:
    """The cursor that leads to *place*."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(f"{place.created_at.isoformat()} {place.id}".encode()).decode().rstrip("=")


def place(cursor: str | None) -> Place | None:
    """Where *cursor* leads; Problem when it is none of ours."""
    if cursor is None:
        return None
    try:
        moment, _, id_ = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(" ")
        at = datetime.fromisoformat(moment)
        return Place(at.astimezone(UTC), UUID(id_))
    except (ValueError, binascii.Error):
        raise unknown_cursor() from None


def unknown_cursor() -> Problem:
    return Problem(422, "unknown_cursor", "This cursor is none of ours.", "Begin the list anew, without a cursor.")
