"""Idempotency keys: the first answer is kept for 24 hours and given again.

https://docs.stripe.com/api/idempotent_requests
"""

from dataclasses import dataclass

from sandbox.stripe import errors
from sandbox.stripe.errors import Refusal
from sandbox.stripe.store import Store
from sandbox.wire import Answer

KEPT_SECONDS = 24 * 3600
LONGEST = 255


@dataclass(slots=True)
class Slot:
    """One key: the request it came with first, and what was answered; None while that is under way."""

    request: tuple[str, bytes]
    since: float
    answer: Answer | None = None


def claim(store: Store, key: str, path: str, body: bytes) -> Slot | Answer:
    """A slot to be filled by whoever does the work, or the answer that was given before; or Stripe's refusal."""
    if len(key) > LONGEST:
        raise Refusal(400, f"Invalid idempotency key: it must be at most {LONGEST} characters.")
    slot = store.idempotency.get(key)
    now = store.clock.now()
    if slot is None or slot.since < now - KEPT_SECONDS:
        slot = store.idempotency[key] = Slot((path, body), now)
        return slot
    if slot.request != (path, body):
        raise errors.key_reused(key)
    if slot.answer is None:
        raise errors.key_in_use(key)
    headers = slot.answer.headers | {"Idempotent-Replayed": "true"}
    return Answer(slot.answer.status, slot.answer.body, headers)


def release(store: Store, key: str) -> None:
    """Forget the key: nothing was begun under it."""
    store.idempotency.pop(key, None)
