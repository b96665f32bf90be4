"""Case 56: addresses that would send a user's browser to somebody else."""

import pytest

from web.return_urls import is_allowed, with_result

OURS = "https://app.example.com"
ELSEWHERE = [
    "//evil.test",
    "///evil.test",
    "https:evil.test",
    "https:/evil.test",
    "https:///evil.test",
    "\\evil.test",
    "\\\\evil.test",
    "/\\evil.test",
    "https:\\\\evil.test",
    "https://app.example.com\\@evil.test",
    "https://app.example.com\\.evil.test",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "javascript://app.example.com/%0aalert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "ftp://app.example.com/",
    "https://app.example.com@evil.test/",
    "https://user:pass@app.example.com/",
    "https://evil.test@app.example.com/",
    "https://app.example.com:443@evil.test/",
    "https://app.example.com.evil.test/",
    "https://app.example.comevil.test/",
    "https://app.example.com%2eevil.test/",
    "https://app.example.com%00.evil.test/",
    "https://xapp.example.com/",
    "https://sub.app.example.com/",
    "https://example.com/",
    "https://app.example.com:8443/",
    "https://app.example.com:0/",
    "https://app.example.com:/",
    "https://app.example.com:99999/",
    "https://app.example.com./",
    "http://app.example.com/",
    "https://аpp.example.com/",  # noqa: RUF001 -- the first letter is Cyrillic
    "https://app。example。com/",
    "https://app.example.com/\r\nSet-Cookie: a=b",
    "https://app.example.com/\nLocation: https://evil.test",
    "https://app.example.com/%0d%0a\x00",
    " https://app.example.com/",
    "https://app.example.com /",
    "\thttps://app.example.com/",
    "https://app.example.com/#fragment",
    "https://evil.test/#https://app.example.com/",
    "https://evil.test/?https://app.example.com/",
    "https://[::1]/",
    "https://app.example.com/" + "a" * 2000,
    "",
    "/settings",
    "app.example.com",
]
HERE = ["https://app.example.com", "https://app.example.com/", "https://APP.example.com:443/a?b=c", f"{OURS}/é%20x?y="]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_is_not_allowed(url):
    """An address that is not plainly one of the known origins is none."""
    assert not is_allowed(url, {OURS})


@pytest.mark.parametrize("url", HERE[:3])
def test_is_allowed(url):
    """A plain address of a known origin is allowed, however its host is written."""
    assert is_allowed(url, {OURS})


async def test_all_are_refused_when_the_link_is_made(site, consent):
    """Each of them is 422 at creation, and a good one makes a link."""
    asked = {"connector": "slack", "user_id": "42"}

    answers = [await site.api.post("/connect-sessions", json=asked | {"return_url": url}) for url in ELSEWHERE]
    good = await site.api.post("/connect-sessions", json=asked | {"return_url": f"{site.url}/done"})

    assert {answer.status_code for answer in answers} == {422}
    assert {answer.json()["code"] for answer in answers} == {"foreign_return_url"}
    assert good.status_code == 201
    print(f"{len(ELSEWHERE)} addresses refused")


def test_what_became_of_it_replaces_what_the_address_says():
    """An address cannot say `connected` by itself: our words replace its own."""
    url = with_result(f"{OURS}/x?status=connected&connection_id=1&a=%26b&a=", "failed", None)

    assert url == f"{OURS}/x?a=%26b&a=&status=failed"
