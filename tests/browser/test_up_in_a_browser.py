"""The whole of it, as a support person meets it: a real `syncline up`, real providers' pages, one browser."""

import json
import re
import subprocess
import time

import pytest

from sandbox.stories import stories
from tests.fixtures import chromium
from tests.fixtures.sizes import thorough
from tests.fixtures.up import PRODUCT

pytestmark = pytest.mark.timeout(700)
PATIENCE = 180_000
SLACK = next(story for story in stories() if story.connector == "slack")


@pytest.fixture
def providers(own_up):
    """The sandbox, which `own_up` is pointed at and pushes to; where it is."""
    command = [*PRODUCT, "sandbox", "--port", "0", "--webhooks-to", own_up.web_url, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        own_up.environment |= json.loads(process.stdout.readline())
        url = own_up.environment["SYNCLINE_SLACK_API_URL"]
        own_up.environment["SYNCLINE_SANDBOX_URL"] = url
        SLACK.fill(url)
        yield url
        process.terminate()


@pytest.fixture
def page(own_up, providers):
    """The browser, on the link that `up` has printed."""
    from playwright.sync_api import sync_playwright

    where = chromium.path()
    own_up.start()
    (link,) = re.findall(r"(http://\S+/login\?once=\S+)", "\n".join(own_up.lines))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=where, args=chromium.FLAGS)
        page = browser.new_context().new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(link)
        page.get_by_role("button", name="Open the status page").click()
        page.wait_for_url(f"{own_up.web_url}/")
        yield page
        browser.close()


def press(page, url, what):
    """A button of the sandbox's page, in a tab of its own."""
    tab = page.context.new_page()
    tab.goto(url)
    tab.locator("li", has_text="Slack").get_by_role("button", name=what).click()
    tab.locator(".said").wait_for()
    tab.close()


def consent(page):
    """Whoever opened the link agrees, here and at the provider."""
    page.get_by_text("Open it here").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("heading", name="Slack is connected").wait_for()


def connected(page, home):
    """From the empty page by OAuth to a card with its records."""
    page.get_by_text("Nothing is connected yet.").wait_for()
    page.fill("#first-slack", "42")
    page.locator(".tiles li", has_text="Slack").get_by_role("button").click()
    consent(page)
    page.goto(home)
    card = page.locator(".one")
    card.locator(".badge", has_text="Connected").wait_for()
    card.get_by_text(re.compile(r"^(9\d|1\d\d) records")).wait_for()
    assert not page.get_by_text("What needs a person").is_visible()
    return card


def pushed_and_healed(page, home, card, providers):
    """What is pushed and what breaks shows without a reload; signing in again heals it."""
    page.evaluate("window.unreloaded = true")
    began = time.monotonic()
    press(page, providers, "Change one and push it")
    page.get_by_role("listitem").filter(has_text="webhook, done").wait_for()
    print(f"from the button at the provider to the run on the page: {time.monotonic() - began:.1f} s")
    assert page.evaluate("window.unreloaded"), "the page has renewed itself, it was not loaded again"

    press(page, providers, "Revoke the access")
    card.get_by_text("Sync now").click()
    card.get_by_role("button", name="What changed").click()
    card.locator(".badge", has_text="Reconnect needed").wait_for()
    page.get_by_role("button", name="Reconnect").first.click()
    page.get_by_text("Send this to user").wait_for()
    consent(page)
    page.goto(home)
    card.locator(".badge", has_text="Connected").wait_for()


def synced_and_paused(page, home, card):
    """Everything is read again; paused and resumed; an event is applied again."""
    card.get_by_text("Sync now").click()
    card.get_by_role("button", name="Everything").click()
    page.get_by_text("A sync was asked for.").wait_for()
    page.get_by_role("listitem").filter(has_text="full, done").nth(2).wait_for()

    card.get_by_text("⋯").click()
    card.get_by_role("button", name="Pause").click()
    card.locator(".badge", has_text="Paused").wait_for()
    card.get_by_text("⋯").click()
    card.get_by_role("button", name="Resume").click()
    card.locator(".badge", has_text="Connected").wait_for()

    page.goto(f"{home}inbox")
    page.get_by_role("button", name="Replay message").first.click()
    page.get_by_text("They will be applied again").wait_for()
    page.goto(home)


def let_go(page, card):
    """Its rows are deleted with it, once its name was typed."""
    card.get_by_role("link", name=re.compile("Slack")).click()
    page.get_by_role("heading", name="Newest rows").wait_for()
    page.get_by_text("Disconnect…").last.click()
    page.locator("dialog [name=purge]").check()
    page.locator("dialog #name").fill("not its name")
    page.locator("dialog").get_by_role("button", name="Disconnect").click()
    page.get_by_text("The name was not the account's").wait_for()
    page.locator("[name=purge]").check()
    page.locator("#name").fill(page.locator("label strong").inner_text())
    page.get_by_role("button", name="Disconnect").click()
    page.get_by_text("all of its rows are deleted").wait_for()
    page.get_by_text("Nothing is connected yet.").wait_for()


@thorough
def test_from_the_first_link_to_the_last_row(page, own_up, providers):
    """Connected by OAuth, synced while one looks, pushed to, revoked and healed, paused, replayed, let go of with all
    its rows, logged out: everything by buttons.
    """
    home = f"{own_up.web_url}/"
    card = connected(page, home)
    pushed_and_healed(page, home, card, providers)
    synced_and_paused(page, home, card)
    let_go(page, card)
    page.get_by_role("button", name="Log out").click()
    page.goto(home)
    page.get_by_role("heading", name="Log in to Syncline").wait_for()
