"""The status page in a real browser: as it looks, by keyboard, without JavaScript, and as it renews itself."""

import pytest
from axe_playwright_python.async_playwright import Axe

from storage import connections
from tests.browser.conftest import fill
from tests.fixtures.site import ADMIN_TOKEN

pytestmark = pytest.mark.timeout(240)
WIDTHS, SCHEMES = (360, 1280), ("light", "dark")
PAGES = ("/", "/runs", "/inbox", "/rejected", "/docs")
SMALLEST = 44
"""CSS pixels that a finger finds."""


async def violations(page):
    """What axe finds, in short."""
    found = (await Axe().run(page)).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in found]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
async def test_nobody_is_shut_out(chromium, site, db, log_in, heard, width, scheme):
    """axe finds nothing on any page, in light and dark, wide and narrow; nothing is wider than the window, and what
    one presses is large enough for a finger.
    """
    sight = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    page = await log_in(chromium, **sight)
    assert await violations(page) == []  # with nothing connected
    connection = await fill(db, name="A rather long name of an account GmbH & Co. KG, Musterstadt")

    for path in (*PAGES, f"/connections/{connection}", f"/connections/{connection}/disconnect"):
        await page.goto(site.url + path)
        assert await violations(page) == [], path
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
        small = await page.evaluate(
            "least => [...document.querySelectorAll('.status :is(button, summary, .chips a, nav a)')]"
            ".filter(it => it.checkVisibility() && it.getBoundingClientRect().height < least)"
            ".map(it => it.outerHTML)",
            SMALLEST if path != "/docs" else 0,
        )
        assert small == [], path
    stranger = await (await chromium.new_context(**sight)).new_page()
    await stranger.goto(f"{site.url}/login")
    assert await violations(stranger) == []
    assert heard.nothing(), heard


async def test_it_renews_itself(chromium, db, log_in, heard):
    """What changes elsewhere shows without a reload; an open menu stays open and the keyboard where it was."""
    connection = await fill(db)
    page = await log_in(chromium)
    await page.evaluate("document.getElementById('live').dataset.every = 1")
    card = page.locator(f"#c-{connection}")
    await card.get_by_text("⋯").click()
    await page.evaluate("window.unreloaded = true")

    await connections.needs_reconnect(db, connection, "reconnect", "Stripe asked us to reconnect: access was revoked.")

    await card.get_by_text("access was revoked").wait_for(timeout=30_000)
    assert await page.evaluate("window.unreloaded")
    assert await card.locator("details.menu[open]").count() == 1
    assert await page.evaluate("document.activeElement.textContent") == "⋯"
    assert heard.nothing(), heard


async def test_a_hidden_tab_asks_for_nothing(chromium, db, log_in, site):
    """Nobody looks at a hidden tab, so it does not ask what is new."""
    await fill(db)
    page = await log_in(chromium)
    asked = []
    page.on("request", lambda request: "since=" in request.url and asked.append(request.url))
    await page.evaluate("Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true})")

    await page.evaluate("window.away = true; document.getElementById('live').dataset.every = 0.1")
    await page.wait_for_timeout(1500)
    hidden = list(asked)
    async with page.expect_request("**since=**", timeout=10_000):
        await page.evaluate("window.away = false")

    assert hidden == []


async def test_by_keyboard(chromium, db, log_in, heard):
    """The first Tab offers the content; a question opens and closes by keyboard and gives the focus back."""
    connection = await fill(db)
    page = await log_in(chromium)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "To the content"

    menu = page.locator(f"#c-{connection} summary", has_text="⋯")
    await menu.focus()
    await page.keyboard.press("Enter")
    link = page.locator(f"#c-{connection}").get_by_text("Disconnect…")
    await link.focus()
    await page.keyboard.press("Enter")
    await page.locator("dialog h1").wait_for()
    assert await violations(page) == []
    assert await page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    await page.keyboard.press("Escape")
    await page.locator("dialog").wait_for(state="detached")

    assert await page.evaluate("document.activeElement.textContent") == "Disconnect…"
    assert heard.nothing(), heard


async def test_without_javascript(chromium, site, db, log_in):
    """Every button works without JavaScript, and the page renews itself every half a minute."""
    connection = await fill(db)
    page = await log_in(chromium, java_script_enabled=False)
    assert '<meta http-equiv="refresh" content="30">' in await page.content()

    await page.locator(f"#c-{connection} summary", has_text="⋯").click()
    await page.locator(f"#c-{connection}").get_by_role("button", name="Pause").click()
    assert "Nothing is synced until it is resumed" in await page.locator(".said").inner_text()
    assert (await connections.get(db, connection)).state == "paused"

    await page.goto(f"{site.url}/connections/{connection}")
    await page.get_by_text("Disconnect…").last.click()
    await page.check("[name=purge]")
    await page.fill("#name", "Acme")
    await page.get_by_role("button", name="Disconnect").click()
    assert "all of its rows are deleted" in await page.locator(".said").inner_text()

    await page.get_by_role("button", name="Log out").click()
    await page.goto(f"{site.url}/")
    assert "Log in to Syncline" in await page.content()


async def test_when_the_session_is_over(chromium, site, db, log_in):
    """A page whose session has ended leads to the login by itself, rather than showing what is old."""
    await fill(db)
    page = await log_in(chromium)
    async with db.connection() as conn:
        await conn.execute("DELETE FROM syncline.login_session")
    await page.evaluate("document.getElementById('live').dataset.every = 1")

    await page.wait_for_url(f"{site.url}/login", timeout=20_000)
    assert ADMIN_TOKEN not in await page.content()
