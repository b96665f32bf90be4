"""A mailbox at the sandbox, for the contract suite."""

from connectors.gmail.messages import MESSAGES_A_PAGE
from connectors.gmail.records import message
from tests.fixtures.google import GoogleAccount

SCOPES = [f"https://www.googleapis.com/auth/gmail.{name}" for name in ("readonly", "compose")]
LABELS = 40


class Account:
    """What the suite needs of a provider: to fill it, to change it, to hurt it, and to look into its ledger."""

    idle_requests = 2
    """The history, and the list of labels."""
    read_anew = frozenset({"labels"})
    unpaged = frozenset({"labels"})
    """Their list has one page, however long it is."""

    def __init__(self, sandbox):
        self._google = GoogleAccount(sandbox)
        self._google.unlimited()
        granted = self._google.consent(*SCOPES)
        self.settings = self._google.environment()
        self.credentials = {"access_token": granted["access_token"]}
        self.scopes = granted["scope"].split()
        self.external_account_id = self._google.email
        self.mode = "live"
        self.expired_cursor = {"history": "1"}

    def close(self):
        self._google.close()

    def longest_page(self, stream):
        """So many records of the stream come in one page at most."""
        return MESSAGES_A_PAGE if stream.name == "messages" else LABELS

    def fill(self, stream, count):
        if stream.name == "messages":
            self._google.load(messages=count)
        else:
            for number in range(count):
                self._google.create_label(f"Label {number}")

    def create(self, stream):
        if stream.name == "messages":
            return (self._google.deliver()["id"],)
        return (self._google.create_label(f"Made {len(self._google.truth('labels'))}")["id"],)

    def update(self, stream, key):
        if stream.name == "messages":
            self._google.label_message(key[0], add=("STARRED",))
        else:
            self._google.change_label(key[0], name="changed")

    def delete(self, stream, key):
        if stream.name == "messages":
            self._google.delete_message(key[0])
        else:
            self._google.delete_label(key[0])

    def truth(self, stream):
        """Every record that a full read must bring, by its key."""
        found = self._google.truth_raw(stream.name)
        if stream.name == "messages":
            return {(key,): message(body, key) for key, body in found.items()}
        return {(key,): body for key, body in found.items()}

    def hurt(self, kind, **options):
        """Every request from now on fares like that; lists that have no end are lists."""
        known = {
            "unauthorized": ("error", {"status": 401, "reason": "authError"}),
            "forbidden": ("error", {"status": 403, "reason": "insufficientPermissions"}),
            "down": ("status", {"status": 503}),
            "limited": ("error", {"status": 429, "reason": "rateLimitExceeded", "retry_after": 3600}),
            "bare 404": ("bare_404", {}),
            "redirect": ("redirect", {"location": "http://127.0.0.1:9/"}),
            "html": ("html", {"status": 200}),
            "cut": ("cut_gzip", {}),
            "circle": ("loop", {"call": "users.messages.list"}),
            "empty pages": ("empty_more", {"call": "users.messages.list"}),
        }
        name, more = known[kind]
        self._google.fault(name, times=None, **more, **options)

    def heal(self):
        self._google.lift()

    def requests(self):
        """How many requests the provider saw since the last time it was asked to forget them."""
        return len(self._google.requests())

    def lists(self):
        """How many of them were for lists."""
        return len(self._google.requests("users.messages.list"))

    def forget(self):
        self._google.forget_ledger()
