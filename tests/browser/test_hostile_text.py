"""What providers and users write never runs in the browser of whoever looks after them."""

import pytest

from tests.browser.conftest import fill

pytestmark = pytest.mark.timeout(240)

CORPUS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>press</a>",
    "javascript:alert(1)",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<style>@import 'http://192.0.2.1/x.css'</style>",
    "<link rel=stylesheet href=http://192.0.2.1/x.css>",
    "<meta http-equiv=refresh content='0;url=http://192.0.2.1/'>",
    "<base href=http://192.0.2.1/>",
    "<form action=http://192.0.2.1/><button>press</button></form>",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    '" onmouseover=alert(1) x="',
    "' onfocus=alert(1) autofocus '",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</pre><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}<script>alert(1)</script>",
    "${alert(1)}",
    "<div hx-get=http://192.0.2.1/ hx-trigger=load>",
    "<div hx-on:load=alert(1)>",
    "<div data-hx-get='/logout' hx-trigger='load'>",
    "\u202e<script>alert(1)</script>\u2066",
    "<scr\u0000ipt>alert(1)</scr\u0000ipt>".replace("\u0000", "\ufffd"),
)


async def test_nothing_of_it_runs(chromium, site, db, log_in, heard):
    """Forty strings in every field that the pages show: no dialog, no request elsewhere, no report of a policy."""
    connection = None
    for n, text in enumerate(CORPUS):
        connection = await fill(db, name=text, user=f"{n} {text}", text=text)
    page = await log_in(chromium)

    for path in ("/", "/?q=%3Cscript%3E", "/runs", "/inbox", "/rejected", f"/connections/{connection}", "/docs"):
        await page.goto(site.url + path, wait_until="networkidle")
        await page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
        hidden = await page.locator(
            "body :is(script, iframe, object, embed, base, [onerror], [onload], [hx-on])"
        ).count()
        assert hidden == 0, path
    print(f"{len(CORPUS)} strings on 7 pages: {len(heard.dialogs)} dialogs, {len(heard.foreign)} foreign requests")
    assert heard.nothing(), heard
