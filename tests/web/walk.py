"""The way of a browser: from the link to the provider and back, one redirect at a time."""

from typing import Any


async def press(browser: Any, link: str) -> Any:
    """The answer to the button of that page."""
    return await browser.post(link)


async def consent_at(browser: Any, answer: Any) -> str:
    """Where the provider sends the browser back to, once its user has consented."""
    assert answer.status_code == 303, answer.text
    back = await browser.get(answer.headers["location"])
    assert back.status_code in {302, 303}, back.text
    return str(back.headers["location"])


async def walk(browser: Any, link: str) -> Any:
    """The page at the end of the whole way."""
    return await browser.get(await consent_at(browser, await press(browser, link)))
