"""Slack's lists of channels and users, page by page.

The cursor of a read is `{"after": Slack's own cursor}`. Such a cursor may expire: then the list is read from its
beginning, which brings nothing twice. https://docs.slack.dev/apis/web-api/pagination
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from connectors.base import Cursor
from connectors.client import Client
from connectors.errors import Broken, Missing
from connectors.slack.answers import Listed, Lists, listed
from connectors.slack.settings import LIST_PAGE, TITLE

_MOST_REPEATS = 2
"""A page that leads nowhere is asked for again so often, then the read stops."""

_LOOP = (
    "{provider} keeps sending the same page, so its list has no end. What was read is kept; sync again later, "
    "it goes on from there."
)


@dataclass(slots=True)
class Path:
    """Where a read has been, so that it notices when it walks in a circle."""

    repeats: int = 0
    restarts: int = 0
    _seen: set[str] = field(default_factory=set)

    def leads_nowhere(self, place: str, *, empty: bool) -> bool:
        """Whether the page must be asked for again; Broken when that, or an empty page, has come often enough."""
        again = place in self._seen
        self._seen.add(place)
        self.repeats = self.repeats + 1 if again or empty else 0
        if self.repeats > _MOST_REPEATS:
            raise endless()
        return again

    def restart(self) -> None:
        """The read's place is gone; Broken when that happens again and again."""
        self._seen.clear()
        self.restarts += 1
        self.repeats += 1
        if max(self.restarts, self.repeats) > _MOST_REPEATS:
            raise endless()


def endless() -> Broken:
    """A list that has no end."""
    return Broken(TITLE, _LOOP, code="endless_list")


async def read_list(
    client: Client, method: str, member: Lists, params: Mapping[str, str], cursor: Cursor
) -> AsyncIterator[tuple[Listed, Cursor | None]]:
    """Every page from *cursor* on with the cursor after it. Broken when the list leads in a circle."""
    here, path, parse = str(cursor.get("after", "")), Path(), listed(member)
    while True:
        asked: dict[str, str | int] = {**params, "limit": LIST_PAGE}
        asked |= {"cursor": here} if here else {}
        try:
            page = await client.get(f"/api/{method}", parse, asked)
        except Missing as missing:
            if missing.param != "cursor" or not here:
                raise
            path.restart()
            here = ""
            continue
        if not page.following:
            yield page, None
            return
        if path.leads_nowhere(page.following, empty=not page.records):
            continue
        yield page, {"after": page.following}
        here = page.following
