"""Faults on the way: what is sent again, and the sentence when that did not help."""

import ssl

from connectors.errors import RateLimited, TryLater, Unavailable

_KEPT = "What was read is kept; the next sync tries again by itself."

_SENTENCES = {
    "unreachable": "{provider} could not be reached. Check this machine's network and the address configured for "
    "{provider}. " + _KEPT,
    "tls": "No secure connection to {provider} could be made. Check this machine's clock and network. " + _KEPT,
    "timeout": "{provider} took too long to answer. " + _KEPT,
    "reset": "{provider} broke off its answers. " + _KEPT,
    "cut": "{provider} sent answers that were cut short. " + _KEPT,
    "garbled": "{provider} sent answers that could not be read as its own. If it stays so, check the address "
    "configured for {provider}. " + _KEPT,
    "server_error": "{provider} has trouble on its side just now. " + _KEPT,
}


class Fault(Exception):
    """One attempt without a usable answer: a word for the record, and the wait that the provider asked for, if any."""

    def __init__(self, word: str, seconds: float | None = None, *, unsent: bool = False) -> None:
        super().__init__(word)
        self.word = word
        self.seconds = seconds
        self.unsent = unsent
        """Nothing of the request can have reached the provider, or it has said itself that it did nothing."""

    def as_told(self, title: str) -> TryLater:
        """The error for the user, when trying again did not help."""
        return Unavailable(title, _SENTENCES.get(self.word))


class Limited(Fault):
    """The provider says that there were too many requests: the next attempt waits in the throttle."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__("rate_limited", seconds, unsent=True)

    def as_told(self, title: str) -> TryLater:
        return RateLimited(title, self.seconds)


def word_of(error: BaseException) -> str:
    """One word for a failure of the transport, from the kinds of the exceptions that led to it."""
    names: list[str] = []
    link: BaseException | None = error
    while link is not None and len(names) < 20:  # noqa: PLR2004 - no chain is longer
        if isinstance(link, ssl.SSLError):
            return "tls"
        names.append(type(link).__name__)
        link = link.__cause__ or link.__context__
    if any(name in {"ConnectError", "ConnectTimeout", "gaierror"} for name in names):
        return "unreachable"
    if "RemoteProtocolError" in names:
        return "cut"
    return "timeout" if any(name.endswith("Timeout") for name in names) else "reset"
