"""Creating, changing and deleting by the API, and the events that tell of it."""

import pytest


def told(api, **params):
    """The types of the events in the feed, oldest first."""
    answer = api.get("/v1/events", params={"limit": 100} | params)
    assert answer.status_code == 200, answer.text
    return [row["type"] for row in answer.json()["data"]][::-1]


def make(api, path, **data):
    answer = api.post(path, data=data)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def customer(api):
    return make(api, "/v1/customers", name="Ada", email="ada@example.com", **{"metadata[plan]": "gold"})


@pytest.fixture
def price(api):
    data = {"currency": "usd", "unit_amount": "2000", "recurring[interval]": "month", "product_data[name]": "Club"}
    return make(api, "/v1/prices", **data)


def test_a_form_becomes_an_object(customer):
    """Brackets nest, texts become what the field is."""
    assert customer["object"] == "customer"
    assert customer["metadata"] == {"plan": "gold"}
    assert customer["livemode"] is False


def test_an_update_merges_metadata_and_sets_the_rest(api, customer):
    """An empty value removes a key; what is not named stays."""
    new = make(api, f"/v1/customers/{customer['id']}", name="Grace", **{"metadata[plan]": "", "metadata[seats]": "3"})

    assert new["name"] == "Grace"
    assert new["email"] == "ada@example.com"
    assert new["metadata"] == {"seats": "3"}


def test_an_event_carries_the_object_and_what_was_there_before(api, customer):
    """The newest event first, with the request that caused it."""
    make(api, f"/v1/customers/{customer['id']}", name="Grace")

    event = api.get("/v1/events").json()["data"][0]

    assert event["type"] == "customer.updated"
    assert event["data"]["object"]["name"] == "Grace"
    assert event["data"]["previous_attributes"] == {"name": "Ada"}
    assert event["request"]["id"].startswith("req_")
    assert api.get(f"/v1/events/{event['id']}").json() == event


def test_an_update_that_changes_nothing_is_not_told(api, customer):
    """No event, no write."""
    make(api, f"/v1/customers/{customer['id']}", name="Ada")

    assert told(api) == ["customer.created"]


def test_a_subscription_from_its_beginning_to_its_end(api, provider, customer, price):
    """Cancelled, it is still there."""
    made = make(api, "/v1/subscriptions", customer=customer["id"], **{"items[0][price]": price["id"]})
    ended = api.delete(f"/v1/subscriptions/{made['id']}").json()

    assert made["status"] == "active"
    assert made["items"]["data"][0]["price"]["id"] == price["id"]
    assert api.get(f"/v1/invoices/{made['latest_invoice']}").json()["total"] == 2000
    assert ended["status"] == "canceled"
    assert api.get(f"/v1/subscriptions/{made['id']}").json() == ended
    assert told(api, type="customer.subscription.*") == [
        "customer.subscription.created",
        "customer.subscription.deleted",
    ]


def test_items_of_a_subscription(api, customer, price):
    """Added, changed and removed, each told as a change of the subscription."""
    made = make(api, "/v1/subscriptions", customer=customer["id"], **{"items[0][price]": price["id"]})
    item = make(api, "/v1/subscription_items", subscription=made["id"], price=price["id"], quantity="2")
    make(api, f"/v1/subscription_items/{item['id']}", quantity="3")

    assert api.get(f"/v1/subscription_items/{item['id']}").json()["quantity"] == 3
    assert api.delete(f"/v1/subscription_items/{item['id']}").json()["deleted"] is True
    assert len(api.get(f"/v1/subscriptions/{made['id']}").json()["items"]["data"]) == 1
    assert told(api, type="customer.subscription.updated") == ["customer.subscription.updated"] * 3


def test_an_invoice_from_draft_to_paid(api, customer):
    """Lines add up; each step has its event; only a draft can be deleted."""
    draft = make(api, "/v1/invoices", customer=customer["id"])
    made = make(
        api,
        f"/v1/invoices/{draft['id']}/add_lines",
        **{"lines[0][amount]": "700", "lines[0][description]": "A", "lines[1][amount]": "300"},
    )
    make(api, f"/v1/invoices/{draft['id']}/finalize")
    paid = make(api, f"/v1/invoices/{draft['id']}/pay")

    assert (made["total"], paid["status"], paid["amount_remaining"]) == (1000, "paid", 0)
    assert told(api)[1:] == ["invoice.created", "invoice.updated", "invoice.finalized", "invoice.paid"]
    assert api.delete(f"/v1/invoices/{draft['id']}").status_code == 400


def test_a_payment_and_its_refund(api, customer):
    """A PaymentIntent succeeds by a charge, which a refund changes."""
    intent = make(api, "/v1/payment_intents", amount="1099", currency="eur", customer=customer["id"], confirm="true")
    refund = make(api, "/v1/refunds", payment_intent=intent["id"], amount="99")
    charge = api.get(f"/v1/charges/{intent['latest_charge']}").json()

    assert intent["status"] == "succeeded"
    assert (refund["amount"], refund["charge"]) == (99, charge["id"])
    assert (charge["amount_refunded"], charge["refunded"]) == (99, False)
    assert api.post("/v1/refunds", data={"charge": charge["id"], "amount": "5000"}).status_code == 400


def test_a_change_of_a_payment_intent_that_moves_no_status_is_not_told(api):
    """There is no payment_intent.updated."""
    intent = make(api, "/v1/payment_intents", amount="1", currency="usd")
    make(api, f"/v1/payment_intents/{intent['id']}", amount="2", **{"metadata[a]": "b"})
    api.post(f"/v1/payment_intents/{intent['id']}/cancel")

    assert told(api) == ["payment_intent.created", "payment_intent.canceled"]


def test_a_product_with_prices_cannot_be_deleted(api, price):
    """Without, it can."""
    assert api.delete(f"/v1/products/{price['product']}").status_code == 400
    free = make(api, "/v1/products", name="Free")
    assert api.delete(f"/v1/products/{free['id']}").json()["deleted"] is True
    assert told(api)[-1] == "product.deleted"


@pytest.mark.parametrize(
    ("path", "data", "code", "param"),
    [
        ("/v1/products", {}, "parameter_missing", "name"),
        ("/v1/customers", {"colour": "red"}, "parameter_unknown", "colour"),
        ("/v1/customers", {"balance": "much"}, "parameter_invalid_integer", "balance"),
        ("/v1/charges", {"amount": "1", "currency": "usd", "customer": "cus_x"}, "resource_missing", "customer"),
        ("/v1/refunds", {}, "parameter_missing", None),
    ],
)
def test_wrong_fields_are_refused(api, path, data, code, param):
    """By Stripe's code and the field's name; nothing is written."""
    answer = api.post(path, data=data)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"].get("param") == param
    assert told(api) == []


def test_events_are_narrowed_by_type(api, provider):
    """One, several, or by a star; not more than twenty."""
    provider.create("customers")
    provider.create("products", name="a")

    assert told(api, type="product.created") == ["product.created"]
    assert told(api, **{"types[]": ["customer.created", "product.created"]}) == ["customer.created", "product.created"]
    assert api.get("/v1/events", params={"types[]": [f"a.{n}" for n in range(21)]}).status_code == 400


def test_events_are_kept_for_thirty_days(api, provider):
    """Then they are in no list and not found."""
    made = provider.create("customers")
    provider.event("customer.updated", "customers", made["id"], created=provider.settings()["now"] - 31 * 86400)

    assert told(api) == ["customer.created"]


def test_events_may_come_late_and_overtake_each_other(api, provider):
    """What happened is seen only after a while."""
    provider.events(delay=[0.3, 0.3])
    provider.create("customers")
    assert told(api) == []

    provider.settings(skew=1)

    assert told(api) == ["customer.created"]


def test_an_event_shows_the_account_s_own_version(api, provider):
    """Whatever version a request asks for: periods at the top, as they were."""
    provider.settings(api_version="2024-06-20")
    made = provider.create("subscriptions")

    event = api.get("/v1/events", headers={"Stripe-Version": "2026-10-28.endive"}).json()["data"][0]
    listed = api.get("/v1/subscriptions", headers={"Stripe-Version": "2026-10-28.endive"}).json()["data"][0]
    older = api.get("/v1/subscriptions").json()["data"][0]

    assert event["api_version"] == "2024-06-20"
    assert "current_period_end" in event["data"]["object"]
    assert "current_period_end" not in listed
    assert older["current_period_end"] == made["items"]["data"][0]["current_period_end"]
