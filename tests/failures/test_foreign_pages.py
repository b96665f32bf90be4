"""Case 60: pages of other sites that have a browser do something here, or that frame a page of ours."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.fixtures.site import ADMIN_TOKEN

EVIL = {"Origin": "https://evil.test"}
FOREIGN = [
    EVIL,
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"},
    {"Sec-Fetch-Site": "none", "Origin": "https://evil.test"},
    {"Sec-Fetch-Site": "garbage"},
]
BEARER = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_foreign_page_changes_nothing(site, consent, headers):
    """A POST that another site's page asks for is refused, and the link stays unused."""
    browser, link = site.browser(), await site.link("slack")

    refused = await browser.post(link, headers=headers)
    accepted = await browser.post(link, headers={"Sec-Fetch-Site": "same-origin", "Origin": "null"})

    assert refused.status_code == 403
    assert refused.headers.get("set-cookie") is None
    assert accepted.status_code == 303


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "none"}])
async def test_our_own_page_may(site, consent, headers):
    """Our own origin, and what is no browser at all, may press the button."""
    answer = await site.browser().post(await site.link("slack"), headers=headers | {"Origin": site.url})

    assert answer.status_code == 303


async def test_no_route_answers_another_origin(site):
    """Every route of the API refuses a change that a foreign page asks for; none lets such a page read an answer."""
    document = (await site.stranger.get("/openapi.json")).json()

    for path, methods in document["paths"].items():
        where = path.replace("{connection_id}", "00000000-0000-0000-0000-000000000000").replace("{action}", "x")
        for method in methods:
            answer = await site.stranger.request(method, where, headers=EVIL | BEARER)
            assert "access-control-allow-origin" not in answer.headers
            assert method == "get" or answer.status_code == 403, (method, path)
        preflight = await site.stranger.options(where, headers=EVIL | {"Access-Control-Request-Method": "POST"})
        assert not preflight.is_success
        assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize(
    "host", ["evil.test", "127.0.0.1.evil.test", "evil.test:80", "localhost.evil.test", "a@127.0.0.1", ""]
)
async def test_an_unknown_host(site, host):
    """A name that is not ours is refused for everything but the probes."""
    for path in ("/docs", "/connect/slack?session=x", "/api/v1/status", "/nothing"):
        answer = await site.stranger.get(path, headers={"Host": host, **BEARER})
        assert answer.status_code == 400, path

    assert (await site.stranger.get("/healthz", headers={"Host": host or "x"})).status_code == 200
    assert (await site.stranger.get("/readyz", headers={"Host": "evil.test"})).status_code == 200


@pytest.mark.parametrize(
    "host", ["x/healthz?", "127.0.0.1/healthz?", "127.0.0.1/docs#", "127.0.0.1\\@x/healthz?", "x?"]
)
async def test_a_host_that_is_half_an_address(site, host):
    """A Host header that would change how the address reads opens no door: it is refused, and nothing is looked up."""
    for path in ("/api/v1/status", "/api/v1/connections", "/docs"):
        answer = await site.stranger.get(path, headers={"Host": host})
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_host")
    posted = await site.stranger.post("/api/v1/connections", headers={"Host": host}, json={})
    assert posted.status_code == 400


async def test_no_page_is_framed_or_loads_from_elsewhere(site, consent):
    """Pages, documents and errors carry the headers that keep browsers to this host, and say no server's name."""
    paths = [
        await site.link("slack"),
        "/docs",
        "/openapi.json",
        "/healthz",
        "/nothing",
        "/api/v1/status",
        "/static/icon.svg",
    ]

    for path in paths:
        headers = (await site.browser().get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; object-src 'none'; base-uri 'none'")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers
        assert "strict-transport-security" not in headers
    assert (await site.browser().get(paths[0])).headers["cache-control"] == "no-store"


async def test_on_https(web_environment, consent):
    """With a public address on https the cookie is Secure and __Host-, and browsers are told to stay on https."""
    from tests.fixtures.site import running

    web_environment.setenv("SYNCLINE_PUBLIC_URL", "https://app.example.com")
    async with running() as site:
        link = (await site.link("slack")).replace("https://app.example.com", site.url)
        answer = await site.browser().post(
            link, headers={"Host": "app.example.com", "Origin": "https://app.example.com"}
        )

    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 303
    assert cookie.startswith("__Host-syncline_browser=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_the_cookie_is_read_by_no_script(site, consent):
    """The browser's cookie is HttpOnly and Lax, and of 256 bits."""
    answer = await site.browser().post(await site.link("slack"))

    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert len(cookie.partition("=")[2].partition(";")[0]) >= 43


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "DEBUG", "PUT"])
async def test_no_method_that_echoes(site, method):
    """A method that no route has is 405, or needs the token, and nothing of the request is sent back."""
    for path in ("/docs", "/healthz", "/connect/slack"):
        answer = await site.stranger.request(method, path, headers={"X-Canary": "canary"})
        assert answer.status_code == 405
        assert "canary" not in answer.text


async def test_two_hosts_in_one_request(site):
    """Two Host headers are none."""
    where = urlsplit(site.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(b"GET /docs HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.test\r\n\r\n")

    answer = await reader.readline()
    writer.close()

    assert b" 400 " in answer
