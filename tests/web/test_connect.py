"""Connecting by a link, as a user does it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.retry import Patience, set_patience
from tests.web.walk import consent_at, press, walk


async def test_from_the_link_to_the_connection(site, consent):
    """The link leads over the provider to an active connection of the user that the session names."""
    page = await walk(site.browser(), await site.link("slack", "user-7"))

    assert page.status_code == 200
    assert "Slack is connected" in page.text
    (connection,) = (await site.api.get("/connections")).json()["items"]
    assert (connection["user_id"], connection["external_account_id"]) == ("user-7", "T0001")
    assert connection["state"] == "active"
    assert connection["scopes"]


async def test_the_landing_page_says_who_connects_what(site, consent):
    """It names the host product, the user and what will be read, and holds one button."""
    page = (await site.browser().get(await site.link("slack", "user-7", return_url=f"{site.url}/done"))).text

    assert "Connect Slack" in page
    assert "user-7" in page
    assert "This application" in page
    assert page.count("<li>") == 3
    assert page.count("<button>") == 1


async def test_the_browser_is_sent_away_with_the_least(site, consent):
    """The provider is told client, scopes, redirect address and state, and the session's secret never."""
    browser, link = site.browser(), await site.link("slack")

    answer = await press(browser, link)

    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert set(asked) == {"response_type", "client_id", "redirect_uri", "scope", "state"}
    assert asked["redirect_uri"] == [f"{site.url}/connect/slack/callback"]
    assert parse_qs(urlsplit(link).query)["session"][0] not in answer.headers["location"]


async def test_with_pkce_the_challenge_goes_and_the_verifier_stays(site, consent, monkeypatch):
    """Where PKCE is used the challenge is S256, and the token request brings the verifier that fits it."""
    monkeypatch.setenv("SYNCLINE_SLACK_PKCE", "true")

    page = await walk(site.browser(), await site.link("slack"))

    assert "is connected" in page.text
    assert consent.asked[0]["code_challenge_method"] == "S256"
    assert "code_verifier" in consent.token_requests[0]


async def test_back_to_the_host_product(site, consent):
    """With a return_url the browser goes there with the connection's id and how it ended."""
    back = f"{site.url}/settings?tab=apps&status=mine&connection_id=x"

    answer = await walk(site.browser(), await site.link("slack", return_url=back))

    (connection,) = (await site.api.get("/connections")).json()["items"]
    assert answer.status_code == 303
    assert (
        answer.headers["location"] == f"{site.url}/settings?tab=apps&connection_id={connection['id']}&status=connected"
    )


@pytest.mark.parametrize("with_return", [True, False])
async def test_denied_at_the_provider(site, consent, with_return):
    """Who denies gets a page that says so, or goes back with status=denied; nothing is connected."""
    consent.error = "access_denied"
    more = {"return_url": f"{site.url}/done"} if with_return else {}

    answer = await walk(site.browser(), await site.link("slack", **more))

    if with_return:
        assert answer.headers["location"] == f"{site.url}/done?status=denied"
    else:
        assert "You did not allow access" in answer.text
    assert (await site.api.get("/connections")).json()["items"] == []
    assert consent.token_requests == []


async def test_reconnected_in_place(site, consent):
    """A session for a connection makes that one active again: same id, and its page names the account."""
    await walk(site.browser(), await site.link("slack"))
    (before,) = (await site.api.get("/connections")).json()["items"]
    await site.api.delete(f"/connections/{before['id']}")

    link = await site.link("slack", connection_id=before["id"])
    browser = site.browser()
    landing = await browser.get(link)
    page = await walk(browser, link)

    assert "Reconnect Slack" in landing.text
    assert "Acme T0001" in landing.text
    assert "is connected" in page.text
    (after,) = (await site.api.get("/connections")).json()["items"]
    assert after == before


async def test_another_account_is_refused(site, consent):
    """Reconnecting with another account than the connection's is 409, and the connection stays as it is."""
    await walk(site.browser(), await site.link("slack"))
    (before,) = (await site.api.get("/connections")).json()["items"]
    consent.team = "T0002"

    page = await walk(site.browser(), await site.link("slack", connection_id=before["id"]))
    returned = await walk(
        site.browser(), await site.link("slack", connection_id=before["id"], return_url=f"{site.url}/done")
    )

    assert page.status_code == 409
    assert "another account" in page.text
    assert returned.headers["location"] == f"{site.url}/done?connection_id={before['id']}&status=failed"
    assert (await site.api.get("/connections")).json()["items"] == [before]


async def test_a_link_for_somebody_elses_connection(site, consent):
    """A connection of another user or connector is as unknown as one that does not exist."""
    await walk(site.browser(), await site.link("slack", "user-1"))
    (mine,) = (await site.api.get("/connections")).json()["items"]

    foreign = await site.api.post(
        "/connect-sessions", json={"connector": "slack", "user_id": "user-2", "connection_id": mine["id"]}
    )
    unknown = await site.api.post(
        "/connect-sessions",
        json={"connector": "slack", "user_id": "user-2", "connection_id": "00000000-0000-0000-0000-000000000000"},
    )

    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.text.replace(mine["id"], "ID") == unknown.text.replace("00000000-0000-0000-0000-000000000000", "ID")


async def test_pressed_twice_in_one_browser(site, consent):
    """The same browser may press again; the sign-in that it began last is the one that counts."""
    browser, link = site.browser(), await site.link("slack")
    first = await consent_at(browser, await press(browser, link))
    second = await consent_at(browser, await press(browser, link))

    late = await browser.get(first)
    page = await browser.get(second)

    assert late.status_code == 400
    assert "is connected" in page.text


async def test_an_app_that_is_not_set_up(site, consent, monkeypatch):
    """Without the team's own OAuth client no link is made: 409 names the variable."""
    monkeypatch.delenv("SYNCLINE_SLACK_CLIENT_SECRET")

    answer = await site.api.post("/connect-sessions", json={"connector": "slack", "user_id": "42"})

    assert answer.status_code == 409
    assert "SYNCLINE_SLACK_CLIENT_SECRET" in answer.json()["detail"]


async def test_a_provider_that_does_not_answer(site, provider, monkeypatch):
    """Nobody tries again by itself, so the sentence does not say so."""
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", provider.url)
    provider.fault("status", "/v1/account", times=None, status=503)
    asked = {"connector": "stripe", "user_id": "42", "credentials": {"api_key": provider.key}}

    set_patience(Patience(budget=0.5, first_wait=0.02, longest_wait=0.1))
    try:
        answer = await site.api.post("/connections", json=asked)
    finally:
        set_patience()

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "nothing was connected" in answer.json()["detail"]
    assert "next sync" not in answer.json()["detail"]


async def test_a_key_by_link(site, provider, monkeypatch):
    """A connector that takes a key has a field for it; a wrong one may be corrected there, a right one connects."""
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", provider.url)
    browser, link = site.browser(), await site.link("stripe")

    page = await browser.get(link)
    wrong = await browser.post(link, data={"api_key": "sk_test_wrong"})
    right = await browser.post(link, data={"api_key": provider.key})
    again = await browser.post(link, data={"api_key": provider.key})

    assert 'type="password"' in page.text
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.text
    assert "sk_test_wrong" not in wrong.text
    assert "Stripe is connected" in right.text
    assert again.status_code == 410
    assert provider.key not in right.text


@pytest.mark.parametrize(
    "change",
    [{"expires_in": 0}, {"expires_in": "900"}, {"expires_in": 86_401}, {"connection_id": "x"}, {"more": 1}],
)
async def test_a_link_that_cannot_be_meant(site, consent, change):
    """Junk in the request for a link is 422."""
    answer = await site.api.post("/connect-sessions", json={"connector": "slack", "user_id": "42"} | change)

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_request")


async def test_the_landing_page_names_the_host_product(web_environment, consent):
    """Where the host product has a name on the web, that is who asks."""
    from tests.fixtures.site import running

    web_environment.setenv("SYNCLINE_RETURN_ORIGINS", "https://app.example.com, https://other.example.com:8443")
    async with running() as site:
        page = await site.browser().get(await site.link("slack", return_url="https://app.example.com/x"))
        other = await site.browser().get(await site.link("slack", return_url="https://other.example.com:8443/x"))

    assert "<strong>app.example.com</strong> asks" in page.text
    assert "<strong>other.example.com</strong> asks" in other.text


async def test_names_that_are_markup_stay_text(site, consent):
    """Whatever a user's id or an account's name holds is shown as it is and never becomes part of the page."""
    nasty = "<img src=x onerror=alert(1)>\"'&{{7*123457}}"
    consent.team = "T<script>alert(1)</script>"

    link = await site.link("slack", nasty)
    browser = site.browser()
    pages = [(await browser.get(link)).text, (await walk(browser, link)).text]

    assert all("<img" not in page and "<script" not in page and "864199" not in page for page in pages)
    assert "&lt;img src=x" in pages[0]
    assert "&lt;script&gt;" in pages[1]
