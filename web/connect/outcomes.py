"""How connecting ended, as its user reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from starlette.responses import Response

from web.pages import page

Kind = Literal["connected", "waiting", "failed"]

ASK_AGAIN = "Ask for a new link where you got this one."


@dataclass(frozen=True, slots=True)
class Outcome:
    """One page at the end of the way."""

    status: int
    kind: Kind
    title: str
    sentences: Sequence[str]

    def shown(self) -> Response:
        return page("message.html", status=self.status, kind=self.kind, title=self.title, sentences=self.sentences)


UNKNOWN = Outcome(
    HTTPStatus.NOT_FOUND,
    "failed",
    "This link is not known",
    ["It may have been cut short when it was copied. Open it whole, or ask for a new one where you got it."],
)
EXPIRED = Outcome(
    HTTPStatus.GONE,
    "waiting",
    "This link has expired",
    ["For your safety a link to connect an account works for a short time only. Nothing was connected.", ASK_AGAIN],
)
USED = Outcome(
    HTTPStatus.GONE,
    "waiting",
    "This link was used before",
    ["A link to connect an account works once. If you have just connected yours, you can close this page.", ASK_AGAIN],
)
OTHER_BROWSER = Outcome(
    HTTPStatus.FORBIDDEN,
    "failed",
    "This link was opened in another browser",
    ["Whoever pressed the button first goes on. Continue in that browser, with cookies allowed.", ASK_AGAIN],
)
STRAY = Outcome(
    HTTPStatus.BAD_REQUEST,
    "failed",
    "This page cannot be opened by itself",
    ["It is where you come back to after signing in. Nothing was connected.", ASK_AGAIN],
)
NOT_EXPECTED = Outcome(
    HTTPStatus.BAD_REQUEST,
    "waiting",
    "This sign-in is over",
    ["It was used before, or was never begun here. If you have just connected your account, you can close this page."],
)
TURNED_AWAY = {
    "unknown": UNKNOWN,
    "other_connector": UNKNOWN,
    "expired": EXPIRED,
    "used": USED,
    "other_browser": OTHER_BROWSER,
}
"""For whoever comes with a link."""
SENT_BACK = TURNED_AWAY | {"unknown": NOT_EXPECTED, "used": NOT_EXPECTED, "other_connector": NOT_EXPECTED}
"""For whoever comes back from a provider."""


def connected(title: str, account: str) -> Outcome:
    what = f"{account} is being read now and kept up to date from here on."
    return Outcome(HTTPStatus.OK, "connected", f"{title} is connected", [what, "You can close this page."])


def connected_in_part(title: str, account: str) -> Outcome:
    """Some of what was asked for was not granted."""
    what = f"You did not allow everything that was asked for: {account} is read as far as you allowed it."
    return Outcome(HTTPStatus.OK, "connected", f"{title} is connected", [what, f"To allow the rest, too: {ASK_AGAIN}"])


def denied(title: str) -> Outcome:
    return Outcome(
        HTTPStatus.OK,
        "waiting",
        f"{title} was not connected",
        [f"You did not allow access at {title}, so nothing was read.", f"Changed your mind? {ASK_AGAIN}"],
    )


def wrong_account(title: str, wanted: str) -> Outcome:
    return Outcome(
        HTTPStatus.CONFLICT,
        "failed",
        "This is another account",
        [
            f"The link is for {wanted}, but at {title} you signed in with another account. Nothing was changed.",
            f"Sign out of {title}, or switch accounts there. {ASK_AGAIN}",
        ],
    )


def failed(title: str, status: int, sentence: str) -> Outcome:
    return Outcome(status, "failed", f"{title} was not connected", [sentence, ASK_AGAIN])
