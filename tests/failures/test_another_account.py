"""Case 27: a reconnect that opens another account of the provider."""

import pytest

from connectors.base import Account
from connectors.oauth import Grant
from connectors.registry import get
from storage import connections
from storage.errors import Conflict
from tasks.connect_oauth import keep
from tests.web.walk import walk


async def test_nothing_is_mixed(db, grant_slack, grant_google, rows):
    """It is refused, and neither that connection nor any other has changed in anything, not even in its marks."""
    mine, other = await grant_slack(), await grant_google()
    await connections.needs_reconnect(db, mine, "reconnect", "Sign in again.")
    before = rows("SELECT *, xmin::text FROM syncline.connection ORDER BY id")

    with pytest.raises(Conflict) as refused:
        await keep(db, get("slack"), "user-1", Grant(Account("T-OTHER", "Other"), {"access_token": "x"}, ()), mine)

    assert "another account" in str(refused.value)
    assert rows("SELECT *, xmin::text FROM syncline.connection ORDER BY id") == before
    assert len({mine, other, *(row["id"] for row in before)}) == 2


async def test_by_the_link(site, consent, rows):
    """A user who chooses another workspace on the consent page is told so with 409, and the old tokens stay."""
    await walk(site.browser(), await site.link("slack"))
    [connection] = rows("SELECT id FROM syncline.connection")
    before = rows("SELECT *, xmin::text FROM syncline.connection")
    consent.team = "T-OTHER"

    page = await walk(site.browser(), await site.link("slack", connection_id=str(connection["id"])))

    assert page.status_code == 409
    assert rows("SELECT *, xmin::text FROM syncline.connection") == before
    [session] = rows("SELECT outcome, error_code FROM syncline.connect_session WHERE connection_id IS NOT NULL")
    assert session == {"outcome": "failed", "error_code": "account_conflict"}
    print("\nreconnects with another account: 1 refused with 409, 0 rows changed")
