"""Connecting Google accounts over the sandbox's own consent page, and what can be asked of them at once."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.web.walk import press

CONNECTORS = ["google_calendar", "gmail"]


@pytest.fixture(autouse=True)
def _settings(google, monkeypatch):
    for name, value in google.environment().items():
        monkeypatch.setenv(name, value)


async def _walk(site, google, link, **decision):
    """The page at the end, and the address that Google sent the browser back to."""
    browser = site.browser()
    answer = await press(browser, link)
    assert answer.status_code == 303, answer.text
    back = google.walk_consent(answer.headers["location"], **decision)
    return await browser.get(back), answer.headers["location"]


async def _connections(site):
    return (await site.api.get("/connections")).json()["items"]


@pytest.mark.parametrize("connector", CONNECTORS)
async def test_connected_with_consent(site, google, connector):
    """The account is connected by its address, with what was granted; the challenge is S256 and access is offline."""
    page, away = await _walk(site, google, await site.link(connector))

    asked = {name: values[0] for name, values in parse_qs(urlsplit(away).query).items()}
    assert "is connected" in page.text
    (connection,) = await _connections(site)
    assert (connection["external_account_id"], connection["state"]) == (google.email, "active")
    assert set(connection["scopes"]) >= set(asked["scope"].split())
    assert (asked["code_challenge_method"], asked["access_type"], asked["prompt"]) == ("S256", "offline", "consent")


@pytest.mark.parametrize("connector", CONNECTORS)
async def test_denied(site, google, connector):
    """Cancel on the consent page connects nothing, and says so."""
    page, _ = await _walk(site, google, await site.link(connector), allow=False)

    assert "You did not allow access" in page.text
    assert await _connections(site) == []


@pytest.mark.parametrize("connector", CONNECTORS)
async def test_part_of_it_granted(site, google, connector):
    """Who unticks a box is connected with what is left; the page and the scopes say so."""
    link = await site.link(connector)
    browser = site.browser()
    away = (await press(browser, link)).headers["location"]
    asked = parse_qs(urlsplit(away).query)["scope"][0].split()
    left_out = next(scope for scope in asked if not scope.endswith("readonly"))

    page = await browser.get(google.walk_consent(away, without=(left_out,)))

    assert "is connected" in page.text
    assert "You did not allow everything" in page.text
    (connection,) = await _connections(site)
    assert left_out not in connection["scopes"]


async def test_another_account_than_the_connections(site, google, another_google):
    """Reconnecting with another address is 409 and changes nothing."""
    await _walk(site, google, await site.link("google_calendar"))
    (before,) = await _connections(site)
    google.email = another_google.email

    page, _ = await _walk(site, google, await site.link("google_calendar", connection_id=before["id"]))

    assert page.status_code == 409
    assert "another account" in page.text
    assert await _connections(site) == [before]


async def test_one_googles_answer_at_the_others_address(site, google):
    """Both are of one provider, and still the answer for one is refused at the address of the other."""
    browser = site.browser()
    away = (await press(browser, await site.link("google_calendar"))).headers["location"]
    back = google.walk_consent(away)

    page = await browser.get(back.replace("/connect/google_calendar/", "/connect/gmail/"))

    assert page.status_code == 400
    assert await _connections(site) == []


async def test_slacks_answer_at_googles_address(site, consent, google):
    """Slack's code and state at Google's callback lead to no request of either token endpoint (mix-up)."""
    browser = site.browser()
    away = (await press(browser, await site.link("slack"))).headers["location"]
    back = (await browser.get(away)).headers["location"]

    page = await browser.get(back.replace("/connect/slack/", "/connect/google_calendar/"))

    assert page.status_code == 400
    assert consent.token_requests == []
    assert google.tokens() == []


async def test_the_issuer_that_google_names(site, google):
    """An answer that names Google's own origin is taken, one that names another is refused."""
    for issuer, status in (("https://evil.test", 400), (_origin(google), 200)):
        browser = site.browser()
        away = (await press(browser, await site.link("google_calendar"))).headers["location"]
        page = await browser.get(f"{google.walk_consent(away)}&{urlencode({'iss': issuer})}")
        assert page.status_code == status


def _origin(google):
    return google.environment()["SYNCLINE_GOOGLE_AUTHORIZE_URL"].partition("/google/")[0]
