"""A Google account at the sandbox, for the contract suite; all its events in one calendar."""

import json

from tests.fixtures.google import GoogleAccount

PREFIX = "https://www.googleapis.com/auth/calendar"


class Account:
    """What the suite needs of a provider: to fill it, to change it, to hurt it, and to look into its ledger."""

    idle_requests = 2
    """The list of calendars, and what changed in the one there is."""
    read_anew = frozenset({"calendars"})
    """The list is read whole; events come by sync tokens."""
    expired_cursor = None
    """A sync token that has expired concerns one calendar, never the stream."""

    def __init__(self, sandbox):
        self._google = GoogleAccount(sandbox)
        self._google.unlimited()
        granted = self._google.consent(f"{PREFIX}.readonly", f"{PREFIX}.events")
        self.settings = self._google.environment()
        self.credentials = {"access_token": granted["access_token"], "refresh_token": granted["refresh_token"]}
        self.scopes = granted["scope"].split()
        self.external_account_id = self._google.email
        self.mode = "live"

    def close(self):
        self._google.close()

    def longest_page(self, stream):
        """So many records of the stream come in one page at most."""
        return 250

    def fill(self, stream, count):
        if stream.name == "events":
            self._google.load(events=count)
        else:
            for number in range(count):
                self._google.create_calendar(f"Calendar {number}")

    def create(self, stream):
        if stream.name == "events":
            return (self._google.email, self._google.create_event()["id"])
        return (self._google.create_calendar("Made")["id"],)

    def update(self, stream, key):
        if stream.name == "events":
            self._google.update_event(key[1], summary="Changed")
        else:
            self._google.change_calendar(key[0], summary="Changed")

    def delete(self, stream, key):
        if stream.name == "events":
            self._google.cancel_event(key[1])
        else:
            self._google.delete_calendar(key[0])
        return True

    def truth(self, stream):
        """Every record that a full read must bring, by its key."""
        found = self._google.truth(stream.name, cancelled=False)
        if stream.name == "calendars":
            return {(key,): json.dumps(record) for key, record in found.items()}
        return {key: json.dumps(record | {"calendar_id": key[0]}) for key, record in found.items()}

    def hurt(self, kind, **options):
        """Every request from now on fares like that."""
        known = {
            "unauthorized": ("error", {"status": 401, "reason": "authError"}),
            "forbidden": ("error", {"status": 403, "reason": "forbidden"}),
            "down": ("error", {"status": 503}),
            "limited": ("error", {"status": 429, "reason": "rateLimitExceeded", "retry_after": 3600}),
            "bare 404": ("bare_404", {}),
            "redirect": ("redirect", {"location": "http://127.0.0.1:9/"}),
            "html": ("html", {"status": 200}),
            "cut": ("cut_gzip", {}),
            "circle": ("loop", {}),
            "empty pages": ("empty_more", {}),
        }
        name, more = known[kind]
        self._google.fault(name, times=None, **more, **options)

    def heal(self):
        self._google.lift()

    def requests(self):
        """How many requests the provider saw since the last time it was asked to forget them."""
        return len(self._google.requests())

    def forget(self):
        self._google.forget_ledger()
