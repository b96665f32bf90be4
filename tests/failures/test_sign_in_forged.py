"""Cases 54 and 55: answers of a provider that are missing something, come twice, or come from somebody else."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from starlette.responses import HTMLResponse, JSONResponse

from tests.web.walk import consent_at, press


@pytest.fixture
async def coming_back(site, consent):
    """A browser that has pressed the button, and the query with which the provider sends it back."""
    browser = site.browser()
    back = await consent_at(browser, await press(browser, await site.link("slack")))
    return browser, {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


async def _nothing_connected(site):
    return (await site.api.get("/connections")).json()["items"] == []


@pytest.mark.parametrize(
    "state", [None, "", "x", "x" * 9000, "%00", "é"], ids=["missing", "empty", "wrong", "huge", "nul", "accent"]
)
async def test_without_its_state(site, consent, coming_back, state):
    """No state, or one that was never given, connects nothing and asks no provider."""
    browser, said = coming_back
    query = {"code": said["code"]} | ({} if state is None else {"state": state})

    answer = await browser.get(f"/connect/slack/callback?{urlencode(query)}")

    assert answer.status_code == 400
    assert consent.token_requests == []
    assert await _nothing_connected(site)


async def test_its_state_twice(site, consent, coming_back):
    """Two states in one answer are none."""
    browser, said = coming_back

    answer = await browser.get(f"/connect/slack/callback?{urlencode(said)}&state={said['state']}")

    assert answer.status_code == 400
    assert consent.token_requests == []


async def test_used_again(site, consent, coming_back):
    """The same answer a second time is refused and the code is not spent again; the connection stands."""
    browser, said = coming_back
    first = await browser.get(f"/connect/slack/callback?{urlencode(said)}")

    again = await browser.get(f"/connect/slack/callback?{urlencode(said)}")

    assert (first.status_code, again.status_code) == (200, 400)
    assert len(consent.token_requests) == 1


async def test_in_another_browser(site, consent, coming_back):
    """An answer that is opened in another browser, with a cookie or without, connects nothing; in its own it does."""
    browser, said = coming_back
    thief, other = site.browser(), site.browser()
    await press(other, await site.link("slack", "somebody-else"))

    stolen = [await who.get(f"/connect/slack/callback?{urlencode(said)}") for who in (thief, other)]
    page = await browser.get(f"/connect/slack/callback?{urlencode(said)}")

    assert [answer.status_code for answer in stolen] == [403, 403]
    assert "is connected" in page.text
    assert len(consent.token_requests) == 1


@pytest.mark.parametrize("other", ["stripe", "google_calendar", "nobody"])
async def test_at_another_connector(site, consent, coming_back, other):
    """One provider's answer at another connector's address is refused before any token request (mix-up)."""
    browser, said = coming_back

    answer = await browser.get(f"/connect/{other}/callback?{urlencode(said)}")

    assert answer.status_code == 400
    assert consent.token_requests == []
    assert await _nothing_connected(site)


@pytest.mark.parametrize("iss", ["https://evil.test", "", "https://slack.com.evil.test"])
async def test_from_another_issuer(site, consent, coming_back, iss):
    """An answer that names another issuer is refused before any token request."""
    browser, said = coming_back

    answer = await browser.get(f"/connect/slack/callback?{urlencode(said | {'iss': iss})}")

    assert answer.status_code == 400
    assert consent.token_requests == []
    assert await _nothing_connected(site)


async def test_from_the_right_issuer(site, consent, coming_back):
    """An answer that names the provider's own origin is taken."""
    browser, said = coming_back

    answer = await browser.get(f"/connect/slack/callback?{urlencode(said | {'iss': consent.url})}")

    assert answer.status_code == 200


@pytest.mark.parametrize("error", ["access_denied", "invalid_scope", "server_error", "<script>alert(1)</script>"])
async def test_an_error_instead_of_a_code(site, consent, coming_back, error):
    """Whatever the provider calls it, an error connects nothing, is not repeated, and gets a friendly page."""
    browser, said = coming_back

    answer = await browser.get(f"/connect/slack/callback?{urlencode({'state': said['state'], 'error': error})}")

    assert answer.status_code == (200 if error == "access_denied" else 400)
    assert error not in answer.text
    assert consent.token_requests == []
    assert await _nothing_connected(site)


async def test_without_its_code(site, consent, coming_back):
    """A state alone connects nothing."""
    browser, said = coming_back

    answer = await browser.get(f"/connect/slack/callback?state={said['state']}")

    assert answer.status_code == 400
    assert consent.token_requests == []


async def test_a_code_that_was_spent(site, consent):
    """A code of another authorization is refused by the provider, and its refusal is told in a sentence."""
    browser = site.browser()
    first = await consent_at(browser, await press(browser, await site.link("slack")))
    await browser.get(first)
    spent = parse_qs(urlsplit(first).query)["code"][0]
    second = await consent_at(browser, await press(browser, await site.link("slack", "43")))
    state = parse_qs(urlsplit(second).query)["state"][0]

    answer = await browser.get(f"/connect/slack/callback?{urlencode({'state': state, 'code': spent})}")

    assert answer.status_code == 400
    assert "Connect again from the beginning" in answer.text
    assert [one["user_id"] for one in (await site.api.get("/connections")).json()["items"]] == ["42"]


async def test_a_verifier_that_does_not_fit(site, consent, monkeypatch):
    """With PKCE a code that was made for another challenge is refused."""
    monkeypatch.setenv("SYNCLINE_SLACK_PKCE", "true")
    browser = site.browser()
    back = await consent_at(browser, await press(browser, await site.link("slack")))
    state = parse_qs(urlsplit(back).query)["state"][0]
    foreign = consent.code(consent.asked[0] | {"code_challenge": "x" * 43})

    answer = await browser.get(f"/connect/slack/callback?{urlencode({'state': state, 'code': foreign})}")

    assert answer.status_code == 400
    assert len(consent.token_requests) == 1
    assert await _nothing_connected(site)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (HTMLResponse("<html>", 500), 503),
        (HTMLResponse("<html>", 200), 503),
        (JSONResponse({"ok": False, "error": "bad_client_secret"}), 503),
        (JSONResponse({"ok": False, "error": "invalid_code"}), 400),
        (JSONResponse({"ok": True}), 503),
    ],
    ids=["500", "html", "wrong-secret", "code", "no-token"],
)
async def test_no_token_for_the_code(site, consent, coming_back, answer, status):
    """Whatever comes instead of a token connects nothing by half, and is asked for once."""
    consent.answer = answer
    browser, said = coming_back

    page = await browser.get(f"/connect/slack/callback?{urlencode(said)}")

    assert page.status_code == status
    assert "was not connected" in page.text
    assert len(consent.token_requests) == 1
    assert await _nothing_connected(site)
