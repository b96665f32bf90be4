"""A Stripe account at the sandbox, for the contract suite."""

from tests.fixtures.sandbox import Provider


class Account:
    """What the suite needs of a provider: to fill it, to change it, to hurt it, and to look into its ledger."""

    idle_requests = 3
    read_anew = frozenset()
    """Streams that an incremental read brings whole each time."""
    scopes = frozenset()

    def __init__(self, sandbox):
        self._provider = Provider(sandbox)
        self._provider.limits(None, None)
        self.settings = {"SYNCLINE_STRIPE_API_URL": self._provider.url}
        self.credentials = {"api_key": self._provider.key}
        self.external_account_id = self._provider.account
        self.mode = self._provider.mode
        self.expired_cursor = {"at": 1_000_000_000, "seen": {}}

    def close(self):
        self._provider.close()

    def longest_page(self, stream):
        """So many records of the stream come in one page at most."""
        return 100

    def fill(self, stream, count):
        self._provider.load(stream.name, count)

    def create(self, stream):
        return (self._provider.create(stream.name)["id"],)

    def update(self, stream, key):
        self._provider.update(stream.name, key[0], metadata={"changed": "yes"})

    def delete(self, stream, key):
        self._provider.delete(stream.name, key[0])

    def truth(self, stream):
        """Every record that a full read must bring, by its key."""
        return {(key,): body for key, body in self._provider.truth_raw(stream.name).items()}

    def hurt(self, kind, **options):
        """Every request from now on fares like that."""
        known = {
            "unauthorized": ("unauthorized", {}),
            "forbidden": ("forbid", {}),
            "down": ("status", {"status": 503}),
            "limited": ("status", {"status": 429, "retry_after": 3600}),
            "bare 404": ("bare_404", {}),
            "redirect": ("redirect", {"location": "http://127.0.0.1:9/"}),
            "html": ("html_200", {}),
            "cut": ("cut_gzip", {}),
            "circle": ("loop", {}),
            "empty pages": ("empty_more", {}),
        }
        name, more = known[kind]
        self._provider.fault(name, times=None, **more, **options)

    def heal(self):
        self._provider.lift()

    def requests(self):
        """How many requests the provider saw since the last time it was asked to forget them."""
        return len(self._provider.requests())

    def forget(self):
        self._provider.forget()
