"""Actions over HTTP: every status that the contract names."""

import asyncio
import uuid

import pytest

from tests.fixtures.site import ADMIN_TOKEN, running
from tests.fixtures.syncing import until


@pytest.fixture
async def site(database_url, monkeypatch, prefect_api, stripe):
    """The application while Prefect shares out limits."""
    monkeypatch.setenv("SYNCLINE_ADMIN_TOKEN", ADMIN_TOKEN)
    async with running() as opened:
        yield opened


@pytest.fixture
async def connection(connect_to, provider):
    """A connected account."""
    return await connect_to(provider)


@pytest.fixture
def order(provider):
    price = provider.create("prices", recurring={"interval": "month"}, unit_amount=1500, currency="eur")
    return {"customer": provider.create("customers")["id"], "price": price["id"]}


@pytest.fixture
def ask(site, connection):
    """`await ask(body)`: the answer to an action asked for over HTTP."""

    async def post(body, *, key="k", action="stripe.create_subscription", on=None, **more):
        headers = {"Idempotency-Key": key} if key is not None else {}
        return await site.api.post(
            f"/connections/{on or connection}/actions/{action}", json=body, headers=headers, **more
        )

    return post


async def test_done_once(ask, provider, order):
    """200 with id, status and result; the same key again gives the same, and nothing more is written."""
    first = await ask(order)
    second = await ask(order)

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert first.json().keys() == {"id", "status", "result"}
    assert first.json()["result"].keys() == {"subscription_id", "client_secret"}
    assert len(provider.truth("subscriptions")) == 1


async def test_refusals_before_anything_is_sent(ask, provider, order):
    """Each kind of wrong request has its status and its code, and nothing is sent."""
    said = [
        await ask(order, key=None),
        await ask(order, key="x" * 256),
        await ask(order, key="a b"),
        await ask(order, action="stripe.refund"),
        await ask(order, on=uuid.uuid4()),
        await ask({"customer": "cus_1"}),
        await ask([1]),
        await ask(order | {"metadata": {"a": "x" * 501}}),
    ]

    assert [(one.status_code, one.json()["code"]) for one in said] == [
        (400, "idempotency_key_missing"),
        (400, "idempotency_key_malformed"),
        (400, "idempotency_key_malformed"),
        (404, "unknown_action"),
        (404, "unknown_id"),
        (422, "malformed_request"),
        (422, "malformed_request"),
        (422, "malformed_request"),
    ]
    assert "body.price" in said[5].json()["detail"]
    assert "at most 500 characters, not 501." in said[7].json()["detail"]
    assert provider.truth("subscriptions") == {}


async def test_a_refusal_by_the_provider(ask, order):
    """422 with the reason in plain words, also when it is asked for again."""
    first = await ask(order | {"customer": "cus_nobody"})
    second = await ask(order | {"customer": "cus_nobody"})

    assert (first.status_code, first.json()["code"]) == (422, "declined")
    assert "no customer with this id" in first.json()["detail"]
    assert second.json() == first.json()


async def test_the_same_key_with_another_body(ask, order):
    """422, and a code that tells it from a refusal."""
    await ask(order)

    again = await ask(order | {"metadata": {"a": "b"}})

    assert (again.status_code, again.json()["code"]) == (422, "idempotency_key_reused")


async def test_while_it_is_under_way(ask, provider, order):
    """409 with Retry-After."""
    provider.latency(1.0)
    first = asyncio.create_task(ask(order))
    await until(lambda: provider.requests("/v1/subscriptions"), "the first request", 30)

    second = await ask(order)

    assert (second.status_code, second.json()["code"]) == (409, "action_under_way")
    assert int(second.headers["retry-after"]) > 0
    assert (await first).status_code == 200


async def test_a_paused_connection(ask, site, connection, order):
    """409, whatever is asked."""
    await site.api.patch(f"/connections/{connection}", json={"paused": True})

    said = await ask(order)

    assert (said.status_code, said.json()["code"]) == (409, "connection_not_active")


async def test_a_provider_that_is_away(ask, order, monkeypatch):
    """503 with Retry-After; the same key may try again."""
    monkeypatch.setenv("SYNCLINE_STRIPE_API_URL", "http://127.0.0.1:9")
    said = await ask(order)
    monkeypatch.undo()

    assert (said.status_code, said.json()["code"]) == (503, "unsent")
    assert int(said.headers["retry-after"]) > 0


async def test_nobody_knows(ask, provider, order):
    """504 when Stripe has nothing but trouble; it names what a person can do."""
    provider.fault("status", "/v1/subscriptions", method="POST", times=None, status=500, perform=True)
    provider.fault("status", "/v1/events", times=None, status=500)  # where what was done could be found

    said = await ask(order)
    again = await ask(order)

    assert (said.status_code, said.json()["code"]) == (504, "unproved")
    assert "syncline actions resolve" in said.json()["action"]
    assert again.status_code == 504
    assert len(provider.truth("subscriptions")) == 1


async def test_the_document_names_every_body(site):
    """The OpenAPI document describes the body of every action."""
    said = (await site.stranger.get("/openapi.json")).json()
    route = said["paths"]["/api/v1/connections/{connection_id}/actions/{action}"]["post"]

    names = {one["title"] for one in route["requestBody"]["content"]["application/json"]["schema"]["anyOf"]}

    assert {"stripe.create_subscription", "stripe.cancel_subscription"} <= names
