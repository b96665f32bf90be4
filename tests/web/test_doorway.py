"""What holds for every request: sizes, types, errors, and what is written down of it."""

import asyncio
import logging
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fixtures.site import ADMIN_TOKEN
from tests.web.walk import walk
from web.bodies import LARGEST

JSON = {"Content-Type": "application/json"}


def _problem(answer):
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    said = answer.json()
    assert said["status"] == answer.status_code
    assert said["type"].endswith(f"/docs#problem-{said['code'].replace('_', '-')}")
    assert said["title"]
    assert said["detail"].endswith(".")
    return said["code"]


async def test_errors_are_problem_documents(site):
    """Unknown addresses, wrong methods and malformed bodies are RFC 9457 problems with a code and a sentence."""
    answers = {
        "not_found": await site.api.get("/nothing"),
        "method_not_allowed": await site.api.put("/connections"),
        "malformed_request": await site.api.post("/connections", content=b"{", headers=JSON),
        "unsupported_media_type": await site.api.post("/connections", data={"a": "b"}),
        "encoded_body": await site.api.post("/connections", content=b"{}", headers=JSON | {"Content-Encoding": "gzip"}),
        "unknown_id": await site.api.get("/connections/00000000-0000-0000-0000-000000000000"),
    }

    assert {code: _problem(answer) for code, answer in answers.items()} == {code: code for code in answers}
    assert answers["method_not_allowed"].headers["allow"]
    assert _problem(await site.stranger.get("/nothing")) == "not_found"


async def test_people_get_pages(site):
    """A browser that goes astray is shown a page, not a document."""
    answer = await site.browser().get("/nothing")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is nothing here" in answer.text


async def test_the_largest_body(site):
    """A body of one byte more than allowed is 413, whether its length is told or not; none is read past the limit."""

    async def stream():
        for _ in range(LARGEST // 65_536 + 1):
            yield b"x" * 65_536

    told = await site.api.post("/connections", content=b"x" * (LARGEST + 1), headers=JSON)
    untold = await site.api.post("/connections", content=stream(), headers=JSON)
    fits = await site.api.post("/connections", content=b" " * LARGEST, headers=JSON)

    assert (_problem(told), told.status_code) == ("too_large", 413)
    assert (_problem(untold), untold.status_code) == ("too_large", 413)
    assert fits.status_code == 422


async def test_a_body_that_never_ends_is_cut(site, monkeypatch):
    """A body that comes too slowly is 408; others are served meanwhile."""
    monkeypatch.setattr("web.bodies.SECONDS", 0.3)
    where = urlsplit(site.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    head = f"POST /api/v1/connections HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())

    served = await site.api.get("/connections")
    async with asyncio.timeout(10):
        answer = await reader.read(100)
    writer.close()

    assert served.status_code == 200
    assert answer.startswith(b"HTTP/1.1 408")


async def test_nobody_foresaw_it(site, monkeypatch, web_log):
    """An error that nobody foresaw is 500 without its text; the log has its name and place, not what it says."""

    async def fail(*_, **__):
        raise RuntimeError("secret-canary")

    monkeypatch.setattr("web.api.connections.connection_lists.part", fail)

    answer = await site.api.get("/connections")

    assert (_problem(answer), answer.status_code) == ("unexpected", 500)
    assert "secret-canary" not in answer.text + web_log.text
    assert "failed error=RuntimeError at=tests/web/test_doorway.py" in web_log.text


async def test_one_line_for_each_request(site, consent, web_log):
    """A request is one line with its route's template; nothing of its path or query."""
    await site.stranger.get("/connect/slack?session=session-canary")
    await site.api.get("/connections/00000000-0000-0000-0000-000000000000", params={"x": "query-canary"})
    await site.stranger.get("/path-canary")

    lines = [line.getMessage() for line in web_log.records if line.getMessage().startswith("request ")]
    assert [line.split(" ms=")[0] for line in lines] == [
        "request method=GET route=/connect/{connector} status=404",
        "request method=GET route=/api/v1/connections/{connection_id} status=404",
        "request method=GET route=- status=404",
    ]
    assert "canary" not in _ours(web_log)


@pytest.mark.parametrize("ends", ["connected", "denied", "refused"])
async def test_no_secret_is_written_down(site, consent, db, web_log, ends):
    """After a whole sign-in no log line at any level holds the link's secret, a state, a code, a token or a cookie, and
    neither does the book of requests.
    """
    consent.error = "access_denied" if ends == "denied" else None
    consent.answer = {"ok": False, "error": "invalid_code"} if ends == "refused" else None
    browser, link = site.browser(), await site.link("slack")
    await walk(browser, link)

    secrets = [parse_qs(urlsplit(link).query)["session"][0], *consent.tokens, ADMIN_TOKEN, "canary"]
    secrets += [asked["state"] for asked in consent.asked] + [form["code"] for form in consent.token_requests]
    secrets += list(browser.cookies.values())
    async with db.connection() as conn:
        book = await (await conn.execute("SELECT to_jsonb(r)::text AS row FROM syncline.api_request r")).fetchall()
        rows = await (await conn.execute("SELECT to_jsonb(s)::text AS row FROM syncline.connect_session s")).fetchall()
    said = _ours(web_log) + "".join(row["row"] for row in [*book, *rows])
    assert len(secrets) >= 5
    assert [secret for secret in secrets if secret in said] == []


def _ours(log):
    """All that the product and its libraries said."""
    return "\n".join(logging.Formatter("%(name)s %(message)s").format(record) for record in log.records)
