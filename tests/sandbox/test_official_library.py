"""Stripe's own Python library takes the sandbox for Stripe."""

import pytest
import stripe


@pytest.fixture
def client(provider):
    provider.limits()
    return stripe.StripeClient(provider.key, base_addresses={"api": provider.url}, max_network_retries=0)


def test_the_account_of_the_key(client, provider):
    """What a connector asks first."""
    assert client.v1.accounts.retrieve_current().id == provider.account


def test_the_life_of_a_customer(client):
    """Created, retrieved, changed, deleted, and still known as deleted."""
    made = client.v1.customers.create({"name": "Ada", "metadata": {"a": "1"}, "address": {"city": "Zürich"}})
    changed = client.v1.customers.update(made.id, {"name": "Grace"})
    deleted = client.v1.customers.delete(made.id)

    assert isinstance(made, stripe.Customer)
    assert (changed.name, changed.metadata["a"], changed.address.city) == ("Grace", "1", "Zürich")
    assert deleted.deleted is True
    assert client.v1.customers.retrieve(made.id).deleted is True


def test_lists_page_by_themselves(client, provider):
    """Forwards, and each object once."""
    provider.load("customers", 230)

    rows = list(client.v1.customers.list({"limit": 100}).auto_paging_iter())

    assert len({row.id for row in rows}) == len(rows) == 230
    assert [row.created for row in rows] == sorted((row.created for row in rows), reverse=True)


def test_lists_page_backwards_by_themselves(client, provider):
    """From `ending_before` towards the newest, nearest first."""
    provider.load("customers", 30)
    newest_first = [row.id for row in client.v1.customers.list({"limit": 100}).data]

    rows = client.v1.customers.list({"limit": 10, "ending_before": newest_first[-1]}).auto_paging_iter()

    assert [row.id for row in rows] == newest_first[-2::-1]


def test_nested_lists_page_by_themselves(client, provider):
    """Items of a subscription and lines of an invoice, by the addresses in them."""
    subscription = provider.create("subscriptions", items=25)
    invoice = provider.create("invoices", lines=25)

    items = client.v1.subscription_items.list({"subscription": subscription["id"]}).auto_paging_iter()
    lines = client.v1.invoices.retrieve(invoice["id"]).lines.auto_paging_iter()

    assert len({item.id for item in items}) == 25
    assert len({line.id for line in lines}) == 25


def test_a_subscription_and_its_end(client):
    """From product to cancellation."""
    product = client.v1.products.create({"name": "Club"})
    price = client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 2000, "recurring": {"interval": "month"}}
    )
    customer = client.v1.customers.create({})
    made = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id, "quantity": 2}]})

    assert made["items"].data[0].quantity == 2
    assert client.v1.subscriptions.cancel(made.id).status == "canceled"
    assert client.v1.subscriptions.list().data == []
    assert len(client.v1.subscriptions.list({"status": "all"}).data) == 1


def test_money(client):
    """A PaymentIntent that succeeds, and its refund."""
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "eur", "confirm": True})
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    charge = client.v1.charges.retrieve(intent.latest_charge)

    assert (intent.status, refund.amount, charge.refunded) == ("succeeded", 500, True)


def test_the_feed_of_events(client):
    """Newest first, narrowed by type, each a whole event."""
    client.v1.products.create({"name": "a"})
    customer = client.v1.customers.create({"name": "Ada"})
    client.v1.customers.update(customer.id, {"name": "Grace"})

    events = client.v1.events.list({"types": ["customer.created", "customer.updated"]}).data

    assert [event.type for event in events] == ["customer.updated", "customer.created"]
    assert events[0].data.object["name"] == "Grace"
    assert events[0].data.previous_attributes["name"] == "Ada"
    assert client.v1.events.retrieve(events[0].id).id == events[0].id


def test_one_idempotency_key_is_one_write(client, provider):
    """The same object again; another body is an error of its own class."""
    first = client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
    second = client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"name": "B"}, {"idempotency_key": "k"})

    assert first.id == second.id
    assert len(provider.truth("customers")) == 1


def test_refusals_are_the_library_s_own_errors(client, provider):
    """Each by its class, with code, parameter and request id."""
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.customers.retrieve("cus_none")
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.customers.create({"colour": "red"})
    provider.fault("forbid")
    with pytest.raises(stripe.PermissionError):
        client.v1.charges.list()
    provider.fault("status", status=500)
    with pytest.raises(stripe.APIError):
        client.v1.charges.list()
    provider.limits(account=0)
    with pytest.raises(stripe.RateLimitError):
        client.v1.charges.list()
    provider.revoke()
    provider.limits()
    with pytest.raises(stripe.AuthenticationError):
        client.v1.charges.list()

    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert missing.value.request_id.startswith("req_")
    assert (unknown.value.code, unknown.value.param) == ("parameter_unknown", "colour")


def test_a_cut_body_is_a_connection_error(client, provider):
    """As it is with Stripe."""
    provider.load("customers", 100)
    provider.fault("cut_length")

    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.list({"limit": 100})
