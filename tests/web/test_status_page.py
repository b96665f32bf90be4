"""The status page over HTTP: what it shows, what its buttons do, and what it does not let through."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from storage import connections, inbox, runs
from storage.inbox import Arrival
from tests.fixtures.site import ADMIN_TOKEN, PREFECT_IS_AWAY

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture
async def page(site):
    """A browser that is logged in."""
    browser = site.browser()
    answer = await browser.post("/login", data={"token": ADMIN_TOKEN})
    assert answer.status_code == 303
    return browser


@pytest.fixture
def connected(db):
    """Makes connections, as if their users had signed in."""

    async def make(account="Acme", *, user_id="42", connector="stripe"):
        found, _ = await connections.upsert(
            db,
            connector=connector,
            user_id=user_id,
            account=f"acct_{uuid4().hex}",
            name=account,
            mode="test",
            scopes=[],
            credentials={"api_key": "sk_test_canary"},
        )
        return found

    return make


async def arrive(db, connection, count=1, status="pending", error=None):
    arrivals = [
        Arrival(connection.connector, connection.id, uuid4().hex, "customer.updated", b"{}", status=status, error=error)
        for _ in range(count)
    ]
    await inbox.store(db, arrivals)


async def unknown_action(db, connection):
    async with db.connection() as conn:
        row = await (
            await conn.execute(
                "INSERT INTO syncline.action (connection_id, name, idempotency_key_hash, fingerprint, status, error)"
                " VALUES (%s, 'a.write', 'k', 'f', 'unknown', 'The answer was lost.') RETURNING id",
                [connection.id],
            )
        ).fetchone()
    return row["id"]


async def test_nothing_is_connected(page):
    """With nothing connected the page tells the first step, for every connector."""
    answer = await page.get("/")

    assert "Nothing is connected yet." in answer.text
    for title in ("Stripe", "Slack", "Gmail", "Google Calendar"):
        assert f"<strong>{title}</strong>" in answer.text
    assert "/api/v1/connect-sessions" in answer.text
    assert "make demo KEEP=1" in answer.text


async def test_every_state_has_a_word(page, db, connected):
    """What a connection is in stands on its card in words, with the sentence for its user and what can be done."""
    await connected("Well")
    lost = await connected("Lost")
    await connections.needs_reconnect(db, lost.id, "reconnect", "Stripe asked us to reconnect.")
    held = await connected("Held")
    await page.post(f"/connections/{held.id}/pause")

    text = (await page.get("/")).text

    assert "1 of 3 connections needs you. The others are up to date." in text
    for word in ("Connected", "Reconnect needed", "Paused", "Stripe asked us to reconnect."):
        assert word in text
    assert 'href="/static/' in text
    assert "sk_test_canary" not in text


async def test_it_says_when_nothing_is_new(page, db, connected):
    """Asked again with what it shows already the page is 204; after any change it is whole again."""
    connection = await connected()

    async def version():
        text = (await page.get("/")).text
        return re.search(r'data-version="(\w+)"', text)[1]

    async def look(since):
        return (await page.get("/", params={"since": since}, headers={"HX-Request": "true"})).status_code

    seen = await version()
    while await look(seen) != 204:  # a minute has passed in between
        seen = await version()
    for change in (
        lambda: arrive(db, connection),
        lambda: unknown_action(db, connection),
        lambda: page.post(f"/connections/{connection.id}/pause"),
        lambda: connected("Another"),
    ):
        seen = await version()
        await change()
        assert await look(seen) == 200
    assert (await page.get("/", params={"since": await version()})).status_code == 200  # a person's own reload


async def test_runs_lead_to_prefect(page, db, connected, monkeypatch):
    """Each run tells how it ended and what it did, and leads to its run in Prefect's UI."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    connection, flow_run = await connected(), uuid4()
    async with runs.take_run(db, connection.id, mode="incremental", trigger="schedule", flow_run_id=flow_run) as run:
        counts = {"customers": {"read": 1200, "written": 7, "deleted": 2, "rejected": 1}}
        await runs.end(db, run, "failed", counts, error="Stripe could not be reached.")

    for path in ("/", "/runs", f"/connections/{connection.id}"):
        text = (await page.get(path)).text
        assert f"http://127.0.0.1:4200/runs/flow-run/{flow_run}" in text, path
        assert "read 1,200, changed 7, deleted 2" in text, path
        assert "Stripe could not be reached." in text, path


async def test_pausing_and_resuming(page, db, connected):
    """The buttons pause a connection and resume it, and lead back to where they stood."""
    connection = await connected()
    here = f"/connections/{connection.id}"

    paused = await page.post(f"{here}/pause", data={"back": here})
    assert (paused.status_code, paused.headers["location"]) == (303, f"{here}?said=paused")
    assert (await connections.get(db, connection.id)).state == "paused"
    assert "Nothing is synced until it is resumed" in (await page.get(paused.headers["location"])).text

    await page.post(f"{here}/resume", data={"back": here})
    assert (await connections.get(db, connection.id)).state == "active"


@PREFECT_IS_AWAY
async def test_a_sync_while_prefect_is_away(page, connected):
    """With Prefect away the button says so, in words; of a connection that is not active it says that."""
    connection = await connected()
    here = f"/connections/{connection.id}"

    away = await page.post(f"{here}/sync", data={"mode": "full"})
    await page.post(f"{here}/pause")
    paused = await page.post(f"{here}/sync", data={})

    assert away.headers["location"] == "/?said=no-prefect"
    assert paused.headers["location"] == "/?said=not-active"
    assert "Prefect does not answer" in (await page.get(away.headers["location"])).text


async def test_disconnecting_keeps_the_rows(page, db, connected):
    """Disconnecting forgets what opens the account and keeps the connection's rows and the connection itself."""
    connection = await connected()
    asked = await page.get(f"/connections/{connection.id}/disconnect")
    assert "stay, unless you delete them" in asked.text

    answer = await page.post(f"/connections/{connection.id}/disconnect", data={})

    assert answer.headers["location"] == "/?said=disconnected"
    assert (await connections.get(db, connection.id)).state == "disconnected"


@pytest.mark.parametrize("typed", ["", "acme", "Acme!", "Somebody else"])
async def test_purging_takes_the_accounts_name(page, db, connected, typed):
    """Rows are deleted only when the account's name was typed; otherwise nothing happens at all."""
    connection = await connected("Acme")

    answer = await page.post(f"/connections/{connection.id}/disconnect", data={"purge": "1", "name": typed})

    assert answer.headers["location"].endswith("/disconnect?said=wrong-name")
    assert (await connections.get(db, connection.id)).state == "active"


async def test_purged_it_is_gone(page, connected):
    """With the name typed the connection and its rows are gone, and its page with them."""
    connection = await connected("Acme")

    await page.post(f"/connections/{connection.id}/disconnect", data={"purge": "1", "name": " Acme "})

    assert (await page.get(f"/connections/{connection.id}")).status_code == 404


async def test_a_link_for_the_user(page, connected):
    """Reconnecting and connecting make a link that works once, for the user concerned, good for a day."""
    connection = await connected(user_id="ann")

    again = await page.post(f"/connections/{connection.id}/reconnect")
    anew = await page.post("/connect", data={"connector": "stripe", "user_id": "bob"})
    (link,) = re.findall(r'value="(http[^"]+/connect/stripe\?session=[^"]+)"', again.text)

    assert again.headers["cache-control"] == "no-store"
    assert "Send this to user <strong>ann</strong>" in again.text
    assert "Send this to user <strong>bob</strong>" in anew.text
    assert "Reconnect Stripe" in (await page.get(link)).text


@pytest.mark.parametrize("fields", [{}, {"connector": "nobody", "user_id": "42"}, {"connector": "stripe"}])
async def test_a_link_for_nobody(page, fields):
    """Without a connector or a user there is no link, and a sentence that says why."""
    answer = await page.post("/connect", data=fields or {"x": "y"})

    assert answer.status_code == 422
    assert "This did not work" in answer.text


async def test_failed_events_are_replayed(page, db, connected):
    """Events that failed ask for a person; one button applies all of them again, another only one."""
    connection = await connected()
    await arrive(db, connection, 3, "failed", "It was refused.")
    text = (await page.get("/")).text
    assert "3 webhook events could not be applied." in text
    (one, *_) = re.findall(r'name="event" value="([0-9a-f-]+)"', (await page.get("/inbox?status=failed")).text)

    await page.post("/inbox/replay", data={"event": one})
    assert "2 webhook events could not be applied." in (await page.get("/")).text

    answer = await page.post("/inbox/replay", data={"back": "/inbox"})
    assert answer.headers["location"] == "/inbox?said=replayed"
    assert "could not be applied" not in (await page.get("/")).text


async def test_an_unknown_action_is_settled(page, db, connected):
    """An action of which nobody knows is shown with two buttons; a person's word settles it for good."""
    connection = await connected()
    action = await unknown_action(db, connection)
    assert "The answer was lost." in (await page.get("/")).text

    answer = await page.post(f"/actions/{action}/resolve", data={"status": "succeeded"})
    again = await page.post(f"/actions/{action}/resolve", data={"status": "failed"})

    async with db.connection() as conn:
        row = await (await conn.execute("SELECT status FROM syncline.action WHERE id = %s", [action])).fetchone()
    assert row["status"] == "succeeded"
    assert answer.headers["location"] == "/?said=resolved"
    assert again.headers["location"] == "/?said=gone"
    assert "The answer was lost." not in (await page.get("/")).text


async def test_deletions_that_wait_for_a_word(page, db, connected):
    """A full sync that would delete too much asks for a person, with a button for it and one to look again."""
    connection = await connected()
    async with runs.take_run(db, connection.id, mode="full", trigger="api") as run:
        await runs.end(db, run, "needs_confirmation", {})

    text = (await page.get("/")).text

    assert "Delete them here too" in text
    assert 'name="confirm_deletes"' in text
    assert "Look again" in text


async def test_what_was_set_aside_is_shown_and_tried_again(page, db, connected):
    """Rejected records are counted by reason, shown as they came, and can be tried again."""
    connection = await connected()
    async with db.connection() as conn:
        await conn.execute(
            "INSERT INTO syncline.rejected_record (connection_id, connector, stream, reason, body, digest)"
            " VALUES (%s, 'stripe', 'customers', 'it is not an object', %s, 'd')",
            [connection.id, HOSTILE.encode()],
        )

    home, listed = await page.get("/"), await page.get("/rejected")

    assert "Rejected (1)" in home.text
    assert "it is not an object" in home.text
    assert "&lt;script&gt;" in listed.text
    assert HOSTILE not in listed.text


async def test_more_than_two_dozen_are_a_table(page, connected):
    """Past 24 connections there is a table, 50 to a page, and a way on."""
    for n in range(52):
        await connected(f"Account {n:02}", user_id=str(n))

    first = await page.get("/")
    (more,) = re.findall(r'href="(/\?[^"]*after=[^"&]+)"', first.text)
    second = await page.get(more.replace("&amp;", "&"))

    assert 'class="cards"' not in first.text
    assert first.text.count('id="c-') == 50
    assert second.text.count('id="c-') == 2


async def test_looking_for_some(page, connected):
    """Connections are found by a part of the user or the account, by connector and by state; junk finds all or none."""
    await connected("Acme GmbH", user_id="ann")
    await connected("Other", user_id="bob", connector="slack")

    def shown(answer):
        return [name for name in ("Acme GmbH", "Other") if f"· {name}</a>" in answer.text]

    assert shown(await page.get("/?q=acme")) == ["Acme GmbH"]
    assert shown(await page.get("/?q=BOB")) == ["Other"]
    assert shown(await page.get("/?connector=slack")) == ["Other"]
    assert shown(await page.get("/?show=paused")) == []
    assert shown(await page.get("/?q=%25")) == []
    assert shown(await page.get("/?show=junk&connector=nobody&hours=7")) == ["Acme GmbH", "Other"]
    assert (await page.get("/?after=junk")).status_code == 422


@pytest.mark.parametrize("path", ["/", "/runs", "/inbox", "/rejected"])
async def test_what_providers_say_is_only_text(page, db, connected, path):
    """Names, types and errors that hold markup are shown as text, whatever they are."""
    connection = await connected(HOSTILE, user_id=HOSTILE)
    await arrive(db, connection, 1, "failed", HOSTILE)
    async with runs.take_run(db, connection.id, mode="full", trigger="api") as run:
        await runs.end(db, run, "failed", {}, error=HOSTILE, notes=[HOSTILE])
    await connections.set_error(db, connection.id, "x", HOSTILE)

    for address in (path, f"/connections/{connection.id}", f"/connections/{connection.id}/disconnect"):
        answer = await page.get(address)
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
)
async def test_other_sites_press_no_button(page, db, connected, headers):
    """A form on another site's page changes nothing, logged in or not."""
    connection = await connected()

    answer = await page.post(f"/connections/{connection.id}/disconnect", data={}, headers=headers)

    assert answer.status_code == 403
    assert (await connections.get(db, connection.id)).state == "active"


async def test_looking_changes_nothing(page, db, connected):
    """No address changes anything when it is only opened."""
    connection = await connected()
    for button in ("sync", "pause", "resume", "reconnect"):
        assert (await page.get(f"/connections/{connection.id}/{button}")).status_code == 405
    await page.get(f"/connections/{connection.id}/disconnect")

    assert (await connections.get(db, connection.id)).state == "active"


@pytest.mark.parametrize("back", ["https://evil.example", "//evil", "/connections/../evil", "/\r\nSet-Cookie: a=b"])
async def test_buttons_lead_nowhere_else(page, connected, back):
    """Where a button leads back to is a page of ours, whatever the form says."""
    connection = await connected()

    answer = await page.post(f"/connections/{connection.id}/pause", data={"back": back})

    assert answer.headers["location"] == "/?said=paused"


async def test_charts_have_tables(page, db, connected):
    """Each chart is also a table: what was counted stands in it in figures."""
    connection = await connected()
    async with runs.take_run(db, connection.id, mode="full", trigger="api") as run:
        await runs.end(db, run, "done", {"customers": {"read": 41, "written": 41, "deleted": 3}})
    hour = datetime.now(UTC) - timedelta(minutes=0)

    for hours in (24, 168):
        text = (await page.get(f"/?hours={hours}")).text
        assert 'aria-label="Records changed: 41 changed, 3 deleted"' in text
        assert f"{hour:%a}" in text
