"""Something to look at: connections in every state, with runs, events and what was set aside."""

from uuid import uuid4

import pytest

from storage import connections, inbox, runs
from storage.inbox import Arrival
from storage.pausing import set_paused
from tests.fixtures.chromium import Heard
from tests.fixtures.site import ADMIN_TOKEN


async def fill(db, name="Acme", user="42", text="Stripe could not be reached."):
    """A connection in each state; the first one's id. Whatever providers say in them is *text*."""
    made = []
    for n, connector in enumerate(("stripe", "slack", "gmail", "google_calendar")):
        found, _ = await connections.upsert(
            db,
            connector=connector,
            user_id=user,
            account=f"account-{n}",
            name=name,
            mode="live",
            scopes=[],
            credentials={"api_key": "x"},
        )
        made.append(found)
    active, paused, lost, _ = made
    for n in range(6):
        async with runs.take_run(db, active.id, mode="incremental", trigger="schedule", flow_run_id=uuid4()) as run:
            counts = {"customers": {"read": 100 + n, "written": n, "deleted": n % 2, "rejected": 0}}
            failed = n == 4
            await runs.end(
                db, run, "failed" if failed else "done", counts, error=text if failed else None, notes=[text]
            )
    async with runs.take_run(db, active.id, mode="full", trigger="api") as run:
        await runs.end(db, run, "needs_confirmation", {})
    await connections.set_error(db, active.id, "unavailable", text)
    await set_paused(db, paused.id, paused=True)
    await connections.needs_reconnect(db, lost.id, "reconnect", text)
    states = ("pending", "failed", "ignored")
    arrivals = [Arrival("stripe", active.id, uuid4().hex, text, b"{}", status=state, error=text) for state in states]
    await inbox.store(db, arrivals)
    async with db.connection() as conn:
        await conn.execute(
            "INSERT INTO syncline.rejected_record (connection_id, connector, stream, reason, body, digest)"
            " VALUES (%s, 'stripe', 'customers', %s, %s, 'd')",
            [active.id, text, text.encode()],
        )
        await conn.execute(
            "INSERT INTO syncline.action (connection_id, name, idempotency_key_hash, fingerprint, status, error)"
            " VALUES (%s, 'stripe.create_subscription', 'k', 'f', 'unknown', %s)",
            [active.id, text],
        )
        await conn.execute(
            "INSERT INTO syncline.alert (kind, service, connection_id, sentence)"
            " VALUES ('push_expiring', 'stripe', %s, %s)",
            [active.id, text],
        )
    return active.id


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def log_in(site, heard):
    """A page of the browser, logged in; what it may not do is written down in `heard`."""

    async def opened(browser, **options):
        context = await browser.new_context(**options)
        page = await context.new_page()
        heard.listen(page, site.url)
        await page.goto(f"{site.url}/login")
        await page.fill("#token", ADMIN_TOKEN)
        await page.click("main button")
        await page.wait_for_url(f"{site.url}/")
        return page

    return opened
