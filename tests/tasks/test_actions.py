"""Actions at Stripe: done once, refused in words, remembered for ever."""

import asyncio
from uuid import uuid4

import pytest
from pydantic import ValidationError

from connectors.errors import Unsent
from storage import disconnect, pausing
from storage.errors import KeyMalformed, KeyReused, NotActive, UnderWay, UnknownAction, UnknownId


@pytest.fixture
def order(stripe):
    """A customer and a price."""
    price = stripe.create("prices", recurring={"interval": "month"}, unit_amount=1500, currency="eur")
    return {"customer": stripe.create("customers")["id"], "price": price["id"]}


async def test_a_subscription_is_made_incomplete_with_its_secret(acting, stripe, order):
    """The subscription is there, unpaid, and what the customer's browser confirms the payment with comes back."""
    said = await acting("stripe.create_subscription", **order, metadata={"order": "42"})

    assert said.status == "succeeded"
    made = stripe.truth("subscriptions")[said.result["subscription_id"]]
    assert (made["status"], made["customer"], made["metadata"]) == ("incomplete", order["customer"], {"order": "42"})
    assert said.result["client_secret"].startswith("pi_")


async def test_a_subscription_that_costs_nothing_has_no_secret(acting, stripe, order):
    """Where nothing is to be paid the secret is null."""
    free = stripe.create("prices", recurring={"interval": "month"}, unit_amount=0, currency="eur")

    said = await acting("stripe.create_subscription", customer=order["customer"], price=free["id"])

    assert said.result["client_secret"] is None


async def test_a_subscription_ends_with_its_period(acting, stripe, order):
    """Cancelled, it goes on to the end of what is paid."""
    made = await acting("stripe.create_subscription", **order)

    said = await acting("stripe.cancel_subscription", subscription=made.result["subscription_id"])

    now = stripe.truth("subscriptions")[made.result["subscription_id"]]
    assert now["cancel_at_period_end"] is True
    assert now["status"] != "canceled"
    assert said.result == {
        "subscription_id": now["id"],
        "cancel_at_period_end": True,
        "cancel_at": now["cancel_at"],
    }


async def test_the_same_key_again_is_the_same_result(acting, stripe, order):
    """Asked for twice with one key it is done once, and the result is the same."""
    first = await acting("stripe.create_subscription", key="k", **order)
    stripe.forget()

    second = await acting("stripe.create_subscription", key="k", **order)

    assert second == first
    assert stripe.requests() == []
    assert len(stripe.truth("subscriptions")) == 1


async def test_the_same_key_with_another_body_is_refused(acting, stripe, order):
    """A key stands for one body, however that is written."""
    first = await acting("stripe.create_subscription", key="k", **order)

    with pytest.raises(KeyReused):
        await acting("stripe.create_subscription", key="k", **order, metadata={"a": "b"})

    assert await acting("stripe.create_subscription", key="k", **order, metadata={}) == first
    assert len(stripe.truth("subscriptions")) == 1


async def test_a_key_is_of_one_connection_and_one_action(acting, stripe, order, connect_to):
    """Another connection to the same account, or another action, has keys of its own."""
    other = await connect_to(stripe, "user-2")

    first = await acting("stripe.create_subscription", key="k", **order)
    second = await acting("stripe.create_subscription", key="k", on=other, **order)
    cancelled = await acting("stripe.cancel_subscription", key="k", subscription=first.result["subscription_id"])

    assert first.result != second.result
    assert cancelled.status == "succeeded"
    assert len(stripe.truth("subscriptions")) == 2


async def test_one_key_fifty_times_at_once(acting, stripe, order):
    """Of fifty callers with one key one does it; the others are told that it is under way, or what came of it."""
    stripe.latency(0.3)
    calls = [acting("stripe.create_subscription", key="k", **order) for _ in range(50)]

    said = await asyncio.gather(*calls, return_exceptions=True)

    done = [one for one in said if not isinstance(one, BaseException)]
    waiting = [one for one in said if isinstance(one, UnderWay)]
    assert len(done) + len(waiting) == 50, said
    assert {one.status for one in done} == {"succeeded"}
    assert len({one.id for one in done}) == 1
    assert len(stripe.truth("subscriptions")) == 1
    posts = [one for one in stripe.requests() if one["method"] == "POST" and one["status"]]
    print(f"\nSAME_KEY_AT_ONCE=50 writes={len(stripe.truth('subscriptions'))} requests={len(posts)}")
    assert (await acting("stripe.create_subscription", key="k", **order)).id == done[0].id


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "a\nb", "a\x7f", "é", "\0"])
async def test_a_key_that_is_none(acting, order, key):
    """Only 1 to 255 visible ASCII characters are a key; nothing is sent with anything else."""
    from tasks.run_action import run_action

    with pytest.raises(KeyMalformed):
        await run_action(acting.workshop, acting.connection_id, "stripe.create_subscription", order, key)


async def test_the_longest_key(acting, order):
    """255 visible characters are a key."""
    assert (await acting("stripe.create_subscription", key="~" * 255, **order)).status == "succeeded"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"price": "p"}, ("customer",)),
        ({"customer": "", "price": "p"}, ("customer",)),
        ({"customer": "c", "price": 1}, ("price",)),
        ({"customer": "c/d e", "price": "p"}, ("customer",)),
        ({"customer": "c", "price": "p", "quantity": 2}, ("quantity",)),
        ({"customer": "c", "price": "p", "metadata": {"a[b]": "c"}}, ("metadata", "a[b]", "[key]")),
        ({"customer": "c", "price": "p", "metadata": {"a": "x" * 501}}, ("metadata", "a")),
        ({"customer": "c", "price": "p", "metadata": {"a": "\0"}}, ("metadata", "a")),
    ],
)
async def test_a_body_that_cannot_be_meant(acting, stripe, body, place):
    """What is missing, malformed or unknown is named before anything is sent or remembered."""
    with pytest.raises(ValidationError) as refused:
        await acting("stripe.create_subscription", **body)

    assert [one["loc"] for one in refused.value.errors(include_url=False)] == [place]
    assert stripe.requests() == []
    assert await acting.rows() == []


async def test_what_does_not_exist(acting, order):
    """An unknown connection, and an action that the connection has not, are told apart from everything else."""
    with pytest.raises(UnknownId):
        await acting("stripe.create_subscription", on=uuid4(), **order)
    with pytest.raises(UnknownAction):
        await acting("stripe.refund", **order)


async def test_only_active_connections_act(acting, stripe, order):
    """A paused or disconnected connection does nothing."""
    await pausing.set_paused(acting.workshop.db, acting.connection_id, paused=True)
    with pytest.raises(NotActive):
        await acting("stripe.create_subscription", **order)
    await disconnect.disconnect(acting.workshop.db, acting.connection_id)
    with pytest.raises(NotActive):
        await acting("stripe.create_subscription", **order)

    assert stripe.truth("subscriptions") == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [({"customer": "cus_nobody"}, "no customer with this id"), ({"price": "price_none"}, "no price with this id")],
)
async def test_a_refusal_is_told_in_plain_words_and_kept(acting, stripe, order, change, words):
    """What Stripe refuses has failed, with a reason in our words, and the same key says so again unasked."""
    said = await acting("stripe.create_subscription", key="k", **order | change)
    stripe.forget()
    again = await acting("stripe.create_subscription", key="k", **order | change)

    assert said.status == "failed"
    assert words in said.error
    assert "No such" not in said.error
    assert again == said
    assert stripe.requests() == []


@pytest.mark.parametrize(
    ("code", "decline", "words"),
    [
        ("card_declined", "insufficient_funds", "not enough money"),
        ("card_declined", "something_new", "was declined"),
        ("expired_card", None, "has expired"),
        (None, None, "did not accept this"),
    ],
)
async def test_a_declined_card(acting, stripe, order, code, decline, words):
    """A declined card is a refusal that says why, not the provider's own text."""
    stripe.fault(
        "body",
        "/v1/subscriptions",
        method="POST",
        status=402,
        body=_encoded({"error": {"type": "card_error", "code": code, "decline_code": decline, "message": "raw text"}}),
    )

    said = await acting("stripe.create_subscription", **order)

    assert said.status == "failed"
    assert words in said.error
    assert "raw text" not in said.error


async def test_a_key_without_permission(acting, stripe, order):
    """A restricted key that may not write is a refusal; the connection stays as it is."""
    stripe.fault("forbid", "/v1/subscriptions", method="POST")

    said = await acting("stripe.create_subscription", **order)

    assert (said.status, said.error_code) == ("failed", "refused")
    assert "permission" in said.error


async def test_a_revoked_key(acting, stripe, order):
    """A key that no longer opens the account did nothing: the connection asks for its user, the same key may go on."""
    stripe.revoke()
    with pytest.raises(NotActive):
        await acting("stripe.create_subscription", key="k", **order)

    assert await acting.rows() == []
    with pytest.raises(NotActive):
        await acting("stripe.create_subscription", key="k", **order)


async def test_nothing_listens(acting, stripe, order, monkeypatch):
    """A refused connection is certainly unsent: nothing is remembered and the same key may try again."""
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", "http://127.0.0.1:9")
    with pytest.raises(Unsent):
        await acting("stripe.create_subscription", key="k", **order)
    assert await acting.rows() == []

    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", stripe.url)
    assert (await acting("stripe.create_subscription", key="k", **order)).status == "succeeded"


async def test_nothing_of_it_is_in_the_log(acting, order, caplog):
    """Neither keys nor what is asked for are in any log line or in a request's record."""
    caplog.set_level("DEBUG")

    await acting("stripe.create_subscription", key="canary-key", **order, metadata={"note": "canary-note"})

    assert "canary" not in caplog.text
    assert order["customer"] not in caplog.text
    assert "action ended" in caplog.text


def _encoded(value):
    import base64
    import json

    return base64.b64encode(json.dumps(value).encode()).decode()
