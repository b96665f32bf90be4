"""Case 57: links that scanners open, that are used again, too late, or by two browsers."""

import asyncio

import pytest

from tests.web.walk import consent_at, press, walk


async def test_scanners_burn_nothing(site, consent, db):
    """HEAD and any number of looks leave the session as it was; then its user connects."""
    link = await site.link("slack")
    before = await _rows(db)
    scanner = site.browser()

    looks = [await scanner.head(link), *[await scanner.get(link) for _ in range(5)]]

    assert {look.status_code for look in looks} == {200}
    assert [look.headers.get("set-cookie") for look in looks] == [None] * 6
    assert await _rows(db) == before
    assert "is connected" in (await walk(site.browser(), link)).text


async def test_used_once(site, consent):
    """After it has connected, the link shows that it was used, to anybody and in any way."""
    browser, link = site.browser(), await site.link("slack")
    await walk(browser, link)

    for who in (browser, site.browser()):
        assert (await who.get(link)).status_code == 410
        assert (await who.post(link)).status_code == 410
    assert len(consent.token_requests) == 1


async def test_too_late(site, consent, db):
    """A moment after its time the link is of no use: not to look, not to press, not to come back from the provider."""
    browser, link = site.browser(), await site.link("slack", expires_in=60)
    back = await consent_at(browser, await press(browser, link))
    async with db.connection() as conn:
        await conn.execute("UPDATE syncline.connect_session SET expires_at = now() - interval '1 second'")

    answers = [await browser.get(link), await browser.post(link), await browser.get(back)]

    assert [answer.status_code for answer in answers] == [410, 410, 410]
    assert all("has expired" in answer.text for answer in answers)
    assert consent.token_requests == []


async def test_the_first_browser_to_press_wins(site, consent):
    """Of two browsers that press at once one goes on; the other is told why not, and may go on looking."""
    link = await site.link("slack")
    browsers = [site.browser() for _ in range(8)]

    answers = await asyncio.gather(*(browser.post(link) for browser in browsers))

    assert sorted(answer.status_code for answer in answers) == [303] + [403] * 7
    winner = next(n for n, answer in enumerate(answers) if answer.status_code == 303)
    assert "another browser" in answers[winner - 1].text
    page = await browsers[winner].get(await consent_at(browsers[winner], answers[winner]))
    assert "is connected" in page.text


@pytest.mark.parametrize(
    "session", ["", "?session=", "?session=x", "?session=x&session=y", "?session=%00", "?session=" + "a" * 5000]
)
async def test_a_link_that_never_was(site, consent, session):
    """Junk where the session stands is a friendly page, by GET and by POST."""
    browser = site.browser()

    answers = [await browser.get(f"/connect/slack{session}"), await browser.post(f"/connect/slack{session}")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert all("This link is not known" in answer.text for answer in answers)


async def test_another_connectors_link(site, consent):
    """A link opened under another connector's address, or an unknown one's, is not known."""
    link = await site.link("slack")

    for name in ("stripe", "nobody", "..%2Fslack"):
        answer = await site.browser().get(link.replace("/connect/slack", f"/connect/{name}"))
        assert answer.status_code == 404


async def _rows(db):
    async with db.connection() as conn:
        return await (await conn.execute("SELECT * FROM syncline.connect_session ORDER BY id")).fetchall()
