"""Connecting a workspace at a Slack that has a consent page, codes that serve once, and tokens that end."""

import httpx
import pytest

from storage.connections import credentials
from tests.web.walk import press


@pytest.fixture
def slack_settings(slack, monkeypatch):
    """The settings lead to the test's own workspace and app."""

    def apply():
        for name, value in slack.environment().items():
            monkeypatch.setenv(name, value)

    slack.unlimited()
    apply()
    return apply


async def away(browser, link):
    """Where the landing page's button leads."""
    answer = await press(browser, link)
    return answer.headers["location"]


async def test_allowing_connects_the_workspace(site, slack, slack_settings, db):
    """The connection has the token that Slack gave, the scopes that it granted, and the workspace's name."""
    browser = site.browser()

    page = await browser.get(slack.consent(await away(browser, await site.link("slack", "user-7"))))

    assert page.status_code == 200
    (connection,) = (await site.api.get("/connections")).json()["items"]
    assert (connection["external_account_id"], connection["account"]) == (slack.team, "Acme")
    kept = await credentials(db, connection["id"])
    assert kept["access_token"] in {row["token"] for row in slack.tokens() if row["good"]}
    assert slack.call("auth.test", kept["access_token"])["team_id"] == slack.team


async def test_denying_connects_nothing(site, slack, slack_settings):
    """The user is told so, and may begin again."""
    browser = site.browser()

    page = await browser.get(slack.consent(await away(browser, await site.link("slack")), allow=False))

    assert "is connected" not in page.text
    assert (await site.api.get("/connections")).json()["items"] == []


async def test_with_pkce_the_secret_stays_at_home(site, slack, slack_settings):
    """Slack refuses a verifier and a secret in one request: connecting works, so only the verifier went."""
    slack.setup(pkce=True)
    slack_settings()
    browser = site.browser()

    page = await browser.get(slack.consent(await away(browser, await site.link("slack"))))

    assert "is connected" in page.text


async def test_an_app_without_pkce_refuses_a_challenge(site, slack, slack_settings, monkeypatch):
    """Switched on here alone, it connects nothing and says that the provider refused."""
    monkeypatch.setenv("SYNCLINE_SLACK_PKCE", "true")
    browser = site.browser()

    sent_back = await browser.get(await away(browser, await site.link("slack")))
    page = await browser.get(sent_back.headers["location"])

    assert "is connected" not in page.text
    assert (await site.api.get("/connections")).json()["items"] == []


async def test_a_code_that_was_used_already_connects_nothing(site, slack, slack_settings):
    """Somebody else was faster with it: the sign-in must begin again."""
    browser = site.browser()
    sent_back = slack.consent(await away(browser, await site.link("slack")))
    code = httpx.URL(sent_back).params["code"]
    app = {"client_id": slack.app["client_id"], "client_secret": slack.app["client_secret"]}
    form = app | {"code": code, "redirect_uri": f"{site.url}/connect/slack/callback"}
    assert (await site.stranger.post(f"{slack.url}/api/oauth.v2.access", data=form)).json()["ok"]

    page = await browser.get(sent_back)

    assert "is connected" not in page.text
    assert (await site.api.get("/connections")).json()["items"] == []
