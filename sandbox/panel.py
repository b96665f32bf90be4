"""A page with buttons: change something at a provider, have something go wrong, and watch the status page meanwhile."""

import asyncio
import html
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from sandbox.http import Request
from sandbox.stories import Story, stories
from sandbox.wire import Answer

PAGE, PRESS = "/", "/_sandbox/press"
PATHS = (PAGE, PRESS)

TOO_MANY: Mapping[str, Any] = {"kind": "status", "times": 3, "options": {"status": 429, "retry_after": 20}}
DOWN: Mapping[str, Any] = {"kind": "status", "times": 40, "options": {"status": 503}}

STYLE = """
:root { color-scheme: light dark; font: 15px/1.55 system-ui, sans-serif; }
body { max-width: 64rem; margin: 0 auto; padding: 24px 16px; background: light-dark(#f5f6f8, #101216);
  color: light-dark(#1b1f26, #e9ecf1); }
h1 { font-size: 24px; margin: 0 0 8px; } h2 { font-size: 17px; margin: 0 0 12px; }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); gap: 16px; padding: 0;
  list-style: none; }
li, .said { padding: 16px; border: 1px solid light-dark(#dfe3e8, #2d323b); border-radius: 14px;
  background: light-dark(#fff, #191c22); overflow-wrap: anywhere; }
form { display: grid; gap: 8px; }
button { min-height: 44px; font: inherit; text-align: left; padding: 6px 16px; border-radius: 10px; cursor: pointer;
  border: 1px solid light-dark(#dfe3e8, #2d323b); background: none; color: inherit; }
button:hover { background: light-dark(#edf1fd, #1f2740); }
:focus-visible { outline: 3px solid light-dark(#2f5bd8, #87a6ff); outline-offset: 2px; }
"""


def _changed(story: Story, url: str) -> str:
    return " · ".join(story.change(url))


def _pushed(story: Story, url: str) -> str:
    return story.push(url).what if story.push else ""


def _limited(story: Story, url: str) -> str:
    return _faulty(story, url, "fault", TOO_MANY, "answers 429 to the next three requests: wait 20 s each")


def _down(story: Story, url: str) -> str:
    return _faulty(story, url, "fault", DOWN, "answers 503 to the next 40 requests")


def _healed(story: Story, url: str) -> str:
    return _faulty(story, url, "lift", {}, "works again; an access that was revoked needs its user")


def _faulty(story: Story, url: str, call: str, body: Mapping[str, Any], said: str) -> str:
    if story.fault:
        story.fault(url, call, body)
    return said


def _revoked(story: Story, url: str) -> str:
    if story.revoke:
        story.revoke(url)
    return "has revoked the access: the next sync asks to reconnect"


BUTTONS: Mapping[str, tuple[str, Callable[[Story, str], str]]] = {
    "change": ("Change a few records", _changed),
    "push": ("Change one and push it", _pushed),
    "limit": ("Too many requests (429), for a minute", _limited),
    "down": ("Server errors (503), forty of them", _down),
    "revoke": ("Revoke the access", _revoked),
    "heal": ("No more faults", _healed),
}


async def answer(request: Request) -> Answer:
    """The page; after a button what came of it, said above."""
    base = f"http://{request.headers.get('host', '')}"
    if request.path == PRESS and request.method == "POST":
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return Answer(403, b"from another page\n")
        return _page(await _press(request.body, base))
    return _page("") if request.path == PAGE and request.method in {"GET", "HEAD"} else Answer(405, b"")


async def _press(body: bytes, base: str) -> str:
    said = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    story = next((one for one in stories() if one.connector == said.get("connector")), None)
    if story is None or said.get("what") not in BUTTONS:
        return "There is no such button."
    # Stories call the sandbox over HTTP, as anybody does: not from the loop that is to answer them.
    try:
        told = await asyncio.to_thread(BUTTONS[said["what"]][1], story, base)
    except OSError as error:
        return f"{story.title}: that did not work ({type(error).__name__})."
    return f"{story.title}: {told}."


def _page(said: str) -> Answer:
    cards = "".join(_card(story) for story in stories())
    told = f'<p class="said" role="status">{html.escape(said)}</p>' if said else ""
    text = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><main><h1>Sandbox</h1><p>The fake providers. Press a button, and watch the status page meanwhile.</p>
{told}<ul>{cards}</ul></main></body></html>"""
    return Answer(200, text.encode(), {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})


def _card(story: Story) -> str:
    buttons = "".join(f'<button name="what" value="{what}">{name}</button>' for what, (name, _) in BUTTONS.items())
    return (
        f"<li><h2>{html.escape(story.title)}</h2>"
        f'<form method="post" action="{PRESS}"><input type="hidden" name="connector" value="{story.connector}">'
        f"{buttons}</form></li>"
    )
