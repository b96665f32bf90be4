"""Logging in to the status page, and out again."""

import pytest

from storage import logins
from tests.fixtures.site import ADMIN_TOKEN

COOKIE = "syncline_session"


async def log_in(site, browser=None, **fields):
    browser = browser or site.browser()
    return browser, await browser.post("/login", data=fields or {"token": ADMIN_TOKEN})


async def age(db, what, **ages):
    for column, interval in ages.items():
        async with db.connection() as conn:
            await conn.execute(f"UPDATE syncline.{what} SET {column} = {column} - interval '{interval}'")


@pytest.mark.parametrize("path", ["/", "/runs", "/inbox", "/rejected", "/connections/not-even-an-id"])
async def test_a_stranger_is_sent_to_the_login(site, path):
    """No page shows a stranger anything, not even whether there is something to show."""
    answer = await site.browser().get(path)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("path", ["/connect", "/inbox/replay", "/rejected/retry", "/connections/x/sync"])
async def test_a_stranger_changes_nothing(site, path):
    """A stranger's buttons lead to the login."""
    answer = await site.browser().post(path, data={"connector": "stripe", "user_id": "42"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def test_the_token_opens_the_page(site):
    """With the admin token one is let in and sent on to the page that was asked for; the cookie is for no script."""
    browser = site.browser()
    asked = await browser.get("/runs")
    answer = await browser.post(asked.headers["location"], data={"token": f" {ADMIN_TOKEN} "})
    cookie = answer.headers["set-cookie"]

    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
    assert (await browser.get("/runs")).status_code == 200
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert "max-age" not in cookie.lower()


async def test_on_https_the_cookie_is_bound_to_the_host(site, web_environment):
    """Behind https the cookie is Secure and carries the prefix that keeps other hosts from setting it."""
    from deployments.web_settings import load
    from web.login import session

    web_environment.setenv("SYNCLINE_PUBLIC_URL", "https://app.example.com")
    from starlette.responses import Response

    response = Response()
    session.remember(response, load(), "secret")

    assert response.headers["set-cookie"].startswith(f"__Host-{COOKIE}=secret")
    assert "Secure" in response.headers["set-cookie"]


@pytest.mark.parametrize(
    "where",
    ["//evil.example", "https://evil.example", "/\\evil", "javascript:alert(1)", "/runs?x=1", "evil", "/%0d%0a"],
)
async def test_nobody_is_sent_elsewhere(site, where):
    """After the login the browser stays here, wherever an address says it should go."""
    browser = site.browser()
    answer = await browser.post("/login", params={"next": where}, data={"token": ADMIN_TOKEN})

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_a_wrong_token_is_refused(site):
    """A wrong token is a sentence on the same page, and no session."""
    browser, answer = await log_in(site, token="wrong" * 8)

    assert answer.status_code == 422
    assert "This is not the admin token." in answer.text
    assert COOKIE not in browser.cookies
    assert (await browser.get("/")).status_code == 303


async def test_ten_tries_a_minute(site, db):
    """The eleventh try within a minute is 429, the right token or not; a minute later one may try again."""
    for _ in range(10):
        await log_in(site, token="wrong")

    _, eleventh = await log_in(site)
    assert eleventh.status_code == 429
    assert eleventh.headers["retry-after"] == "60"
    assert "Wait a minute" in eleventh.text

    await age(db, "login_try", at="61 seconds")
    assert (await log_in(site))[1].status_code == 303


async def test_a_link_works_once(site, db):
    """A one-time link logs in one browser, once; scanners that open it use nothing up."""
    token = await logins.make_link(db)
    address = f"/login?once={token}"
    for _ in range(5):
        shown = await site.browser().get(address)
        await site.browser().head(address)
    assert "Open the status page" in shown.text
    assert shown.headers["cache-control"] == "no-store"

    browser, first = await log_in(site, once=token)
    _, second = await log_in(site, once=token)

    assert first.status_code == 303
    assert (await browser.get("/")).status_code == 200
    assert second.status_code == 422
    assert "used already" in second.text


async def test_a_link_is_good_for_ten_minutes(site, db):
    """After ten minutes a link opens nothing any more."""
    token = await logins.make_link(db)
    await age(db, "login_link", expires_at="10 minutes")

    _, answer = await log_in(site, once=token)

    assert answer.status_code == 422


async def test_a_preset_cookie_is_worth_nothing(site):
    """Whatever cookie a browser brings to the login, it leaves with another one."""
    browser = site.browser()
    browser.cookies.set(COOKIE, "chosen-by-somebody-else")
    await browser.post("/login", data={"token": ADMIN_TOKEN})
    held = [cookie.value for cookie in browser.cookies.jar if cookie.name == COOKIE]

    other = site.browser()
    other.cookies.set(COOKIE, "chosen-by-somebody-else")

    assert "chosen-by-somebody-else" not in held[-1:]
    assert (await other.get("/")).status_code == 303


async def test_logged_in_again_the_session_before_is_over(site):
    """Logging in anew ends the session that the browser had."""
    browser, _ = await log_in(site)
    before = browser.cookies[COOKIE]
    await log_in(site, browser)

    thief = site.browser()
    thief.cookies.set(COOKIE, before)

    assert (await thief.get("/")).status_code == 303
    assert (await browser.get("/")).status_code == 200


async def test_after_logging_out_the_cookie_is_dead(site):
    """Logging out ends the session itself, not only the browser's memory of it."""
    browser, _ = await log_in(site)
    held = browser.cookies[COOKIE]
    answer = await browser.post("/logout")

    thief = site.browser()
    thief.cookies.set(COOKIE, held)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert (await thief.get("/")).status_code == 303


@pytest.mark.parametrize(
    ("ages", "status"),
    [
        ({"seen_at": "29 minutes"}, 200),
        ({"seen_at": "31 minutes"}, 303),
        ({"created_at": "11 hours"}, 200),
        ({"created_at": "13 hours"}, 303),
    ],
)
async def test_sessions_end_by_themselves(site, db, ages, status):
    """A session ends half an hour after it was last used, and twelve hours after it began."""
    browser, _ = await log_in(site)
    await age(db, "login_session", **ages)

    assert (await browser.get("/")).status_code == status


async def test_looking_by_itself_keeps_no_session_alive(site, db):
    """What the page's own script asks for does not count as use: an open tab does not stay logged in for ever."""
    browser, _ = await log_in(site)
    await age(db, "login_session", seen_at="20 minutes")
    await browser.get("/", headers={"HX-Request": "true"})
    await age(db, "login_session", seen_at="11 minutes")

    gone = await browser.get("/", headers={"HX-Request": "true"})

    assert gone.status_code == 401
    assert gone.headers["hx-redirect"] == "/login"


async def test_another_admin_token_ends_every_session(site, db):
    """Sessions that the old token let in are over once there is a new one."""
    token = await logins.log_in(db, ADMIN_TOKEN)

    assert await logins.is_logged_in(db, token, ADMIN_TOKEN)
    assert not await logins.is_logged_in(db, token, "another-admin-token-0123456789abcdef")


async def test_no_secret_is_kept_or_written_down(site, db, web_log):
    """Neither tokens nor links stand in the database or the log."""
    once = await logins.make_link(db)
    await log_in(site, token="a-wrong-token-canary")
    browser, _ = await log_in(site, once=once)
    async with db.connection() as conn:
        rows = await (
            await conn.execute(
                "SELECT to_jsonb(s)::text AS row FROM syncline.login_session s"
                " UNION ALL SELECT to_jsonb(l)::text FROM syncline.login_link l"
            )
        ).fetchall()
    said = web_log.text + "".join(row["row"] for row in rows)

    for secret in (ADMIN_TOKEN, once, browser.cookies[COOKIE], "a-wrong-token-canary"):
        assert secret not in said
    assert "login refused=token" in web_log.text
