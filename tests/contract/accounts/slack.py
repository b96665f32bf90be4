"""A Slack workspace at the sandbox, for the contract suite; messages in the small pages of an unlisted app."""

import json

from tests.fixtures.slack import SlackWorkspace

PAGES = {"channels": 200, "users": 200, "messages": 15}


class Account:
    """What the suite needs of a provider: to fill it, to change it, to hurt it, and to look into its ledger."""

    idle_requests = 3
    """The list of channels, that of users, and one page for each channel that the app is in."""
    read_anew = frozenset(PAGES)
    """Slack has no list of what has changed."""
    expired_cursor = None

    def __init__(self, sandbox):
        self._slack = SlackWorkspace(sandbox, distribution="unlisted")
        self._slack.unlimited()
        granted = self._slack.install(lasting=True)
        self.settings = self._slack.environment()
        self.credentials = {"access_token": granted["access_token"]}
        self.scopes = granted["scope"].split(",")
        self.external_account_id = self._slack.team
        self.mode = "live"
        self._channel = self._slack.create_channel("talk")["id"]

    def close(self):
        self._slack.close()

    def longest_page(self, stream):
        """So many records of the stream come in one page at most."""
        return PAGES[stream.name]

    def fill(self, stream, count):
        if stream.name == "channels":
            self._slack.load(count)
        elif stream.name == "users":
            self._slack.load([self._channel], users=count)
        else:
            self._slack.load([self._channel], count, replies=2)

    def create(self, stream):
        number = len(self._slack.truth(stream.name))
        if stream.name == "channels":
            return (self._slack.create_channel(f"made-{number}", member=False)["id"],)
        if stream.name == "users":
            return (self._slack.add_user(f"made{number}")["id"],)
        return (self._channel, self._slack.post(self._channel)["ts"])

    def update(self, stream, key):
        if stream.name == "channels":
            self._slack.change_channel(key[0], topic="changed")
        elif stream.name == "users":
            self._slack.change_user(key[0], profile={"title": "changed"})
        else:
            self._slack.edit(*key, "changed")

    def delete(self, stream, key):
        """False for users, who are only deactivated."""
        if stream.name == "channels":
            self._slack.delete_channel(key[0])
        elif stream.name == "messages":
            self._slack.delete(*key)
        return stream.name != "users"

    def truth(self, stream):
        """Every record that a full read must bring, by its key."""
        found = self._slack.truth_raw(stream.name)
        if stream.name != "messages":
            return {(key,): body for key, body in found.items()}
        return {key: json.dumps(json.loads(body) | {"channel_id": key[0]}) for key, body in found.items()}

    def hurt(self, kind, **options):
        """Every request from now on fares like that."""
        known = {
            "unauthorized": ("error", {"error": "invalid_auth"}),
            "forbidden": ("error", {"error": "missing_scope"}),
            "down": ("status", {"status": 503}),
            "limited": ("status", {"status": 429, "retry_after": 3600}),
            "bare 404": ("bare_404", {}),
            "redirect": ("redirect", {"location": "http://127.0.0.1:9/"}),
            "html": ("html", {"status": 200}),
            "cut": ("cut_gzip", {}),
            "circle": ("loop", {}),
            "empty pages": ("empty_more", {}),
        }
        name, more = known[kind]
        self._slack.fault(name, times=None, **more, **options)

    def heal(self):
        self._slack.lift()

    def requests(self):
        """How many requests the provider saw since the last time it was asked to forget them."""
        return len(self._slack.requests())

    def forget(self):
        self._slack.forget()
