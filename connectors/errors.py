"""What can go wrong at a provider, sorted by what we do about it.

ConnectorError
├── TryLater          nothing is wrong that time does not mend
│   ├── RateLimited   the provider asked us to slow down for longer than this run may wait
│   └── Unavailable   no usable answer, although we tried for a while
│   └── Unsent        a write that certainly did not happen
├── Reconnect         the credentials no longer open the account: only its user can help
│   └── AccessExpired the access token no longer holds, a new one may
├── Refused           these credentials may not read this part; its rows are kept
├── Broken            an answer that makes no sense; trying again would not help
│   └── Missing       the provider itself says that there is no such object
├── CursorExpired     the change feed no longer reaches back this far: the streams must be read in full
├── Misconfigured     our own settings are to blame
├── Declined          the provider does not do what it was asked to do, and says why
└── Unproved          a write was sent and its answer is lost: nobody knows whether it happened
"""

from collections.abc import Sequence
from typing import ClassVar


class ConnectorError(Exception):
    """A failure as its user reads it: `str(error)` says what happened and what to do, never the provider's own text."""

    code: str = "connector_error"
    retry: ClassVar[bool] = False
    message: str = "Something went wrong while reading {provider}."

    def __init__(self, provider: str, message: str | None = None, *, code: str | None = None) -> None:
        self.provider = provider
        if message is not None:
            self.message = message
        if code is not None:
            self.code = code
        super().__init__(provider)

    def __str__(self) -> str:
        return self.message.replace("{provider}", self.provider)


class TryLater(ConnectorError):
    """Nothing is wrong that time does not mend."""

    code = "try_later"
    retry = True
    message = "{provider} could not be read just now. The next sync goes on by itself."


class RateLimited(TryLater):
    """The allowance is spent for longer than we may wait; `seconds` says for how long, where that is known."""

    code = "rate_limited"
    message = "{provider} asked us to slow down. What was read is kept, and the next sync goes on from there by itself."

    def __init__(self, provider: str, seconds: float | None = None) -> None:
        self.seconds = seconds
        super().__init__(provider)


class Unavailable(TryLater):
    """No usable answer within the time that one request is given."""

    code = "unavailable"
    message = "{provider} is not answering properly now. What was read is kept; the next sync tries again by itself."


class Unsent(TryLater):
    """A write that certainly did not happen: no connection, no allowance. The same write may be tried again."""

    code = "unsent"
    message = "{provider} could not be reached, so nothing was done there. Try again in a moment."

    def __init__(self, provider: str, message: str | None = None, *, seconds: float | None = None) -> None:
        self.seconds = seconds
        """How long the provider asked us to wait, where it did."""
        super().__init__(provider, message)


class Reconnect(ConnectorError):
    """The credentials no longer open the account; trying again cannot help."""

    code = "reconnect"
    message = "{provider} no longer accepts these credentials. Your data is kept: connect the account again to go on."


class AccessExpired(Reconnect):
    """The access token no longer holds. The client renews it once and repeats; only then is this what it says."""

    code = "access_expired"


class Refused(ConnectorError):
    """These credentials may not read this part. It becomes unavailable, its rows stay."""

    code = "refused"
    message = (
        "{provider} does not let these credentials read this data. What was read before is kept: "
        "give the key permission to read it, or connect again with one that has it."
    )


class Broken(ConnectorError):
    """An answer that makes no sense, that never ends, or that is larger than anything we accept."""

    code = "broken"
    message = (
        "{provider} gave an answer that makes no sense. What was read is kept: sync again later, and if it stays so, "
        "check the address that is configured for {provider}."
    )


class Missing(Broken):
    """The provider itself says that there is no such object; `param` names the parameter that asked for it."""

    code = "missing"
    message = "{provider} does not have what we asked for."

    def __init__(self, provider: str, param: str | None = None) -> None:
        self.param = param
        super().__init__(provider)


class CursorExpired(ConnectorError):
    """The change feed of these streams no longer reaches back to where we stopped: only a full sync helps."""

    code = "cursor_expired"
    message = "{provider} no longer tells what changed since the last sync: it has to be read in full."

    def __init__(self, provider: str, streams: Sequence[str]) -> None:
        self.streams = tuple(streams)
        super().__init__(provider)


class Misconfigured(ConnectorError):
    """A setting of ours is wrong; the sentence names it and never its value."""

    code = "misconfigured"
    message = "A setting for {provider} is wrong: run syncline doctor."


class Declined(ConnectorError):
    """The provider does not do what it was asked to do; the message is its reason in plain words."""

    code = "declined"
    message = "{provider} did not accept this."


class Unproved(ConnectorError):
    """A write was sent and its answer is lost: nobody knows whether it happened, so it is not sent again."""

    code = "unproved"
    message = "{provider} did not answer, so it is not known whether this was done."
