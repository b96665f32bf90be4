"""As much of a browser as connecting an account needs: cookies, redirects, and forms with buttons."""

import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar

SECONDS = 30.0


@dataclass
class Form:
    """One form of a page: where it goes, what it sends, and its buttons by their words."""

    action: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A page that was opened, after all redirects."""

    url: str
    html: str

    def form(self, button: str) -> tuple[Form, str]:
        """The form with a button of which the words begin like this, or the value is this; and the button's words.

        LookupError if there is none.
        """
        reader = _Forms()
        reader.feed(self.html)
        for form in reader.forms:
            for words in form.buttons:
                if words.lower().startswith(button) or form.buttons[words][1] == button:
                    return form, words
        raise LookupError(f"no button {button!r} at {self.url.partition('?')[0]}")


class Browser:
    """Keeps its cookies; goes nowhere but where it is sent."""

    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def open(self, url: str) -> Page:
        return self._open(urllib.request.Request(url))  # noqa: S310 -- the demo's own addresses

    def press(self, page: Page, button: str) -> Page:
        """The page that the button leads to."""
        form, words = page.form(button)
        name, value = form.buttons[words]
        fields = [*form.fields, *([(name, value)] if name else [])]
        parts = urllib.parse.urlsplit(page.url)
        origin = {"Origin": f"{parts.scheme}://{parts.netloc}"}
        url = urllib.parse.urljoin(page.url, form.action)
        return self._open(urllib.request.Request(url, urllib.parse.urlencode(fields).encode(), origin))  # noqa: S310

    def _open(self, request: urllib.request.Request) -> Page:
        with self._opener.open(request, timeout=SECONDS) as answer:
            return Page(answer.url, answer.read().decode())


class _Forms(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._button: tuple[str, str] | None = None
        self._words = ""
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(said.get("action", "")))
        elif self.forms and tag == "input":
            self._input(said)
        elif tag == "select":
            self._select = said.get("name", "")
        elif self.forms and tag == "option" and self._select:
            self.forms[-1].fields.append((self._select, said.get("value", "")))
            self._select = ""  # the first one is what stands there
        elif self.forms and tag == "button":
            self._button, self._words = (said.get("name", ""), said.get("value", "")), ""

    def handle_data(self, data: str) -> None:
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "button" and self._button is not None:
            self.forms[-1].buttons[" ".join(self._words.split())] = self._button
            self._button = None

    def _input(self, said: dict[str, str]) -> None:
        kind, name = said.get("type", "text"), said.get("name", "")
        if kind == "submit":
            self.forms[-1].buttons[said.get("value", "")] = (name, said.get("value", ""))
        elif name and (kind not in {"checkbox", "radio"} or "checked" in said):
            self.forms[-1].fields.append((name, said.get("value", "on")))
