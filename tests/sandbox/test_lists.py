"""Lists as Stripe's documents describe them."""

import pytest


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["data"]]


@pytest.fixture
def three(provider):
    """Customers of seconds 100, 200 and 300; their ids, oldest first."""
    return [provider.create("customers", created=second)["id"] for second in (100, 200, 300)]


def test_the_newest_comes_first(api, three):
    """By `created`, and within a second by arrival."""
    assert ids(api.get("/v1/customers")) == three[::-1]


def test_within_one_second_the_last_to_arrive_comes_first(api, provider):
    """Whole seconds tie; the order is still one order."""
    made = [provider.create("customers", created=100)["id"] for _ in range(5)]

    assert ids(api.get("/v1/customers")) == made[::-1]


def test_the_envelope(api, three):
    """An object of type list with its address and `has_more`."""
    answer = api.get("/v1/customers", params={"limit": 2}).json()

    assert {name: answer[name] for name in ("object", "has_more", "url")} == {
        "object": "list",
        "has_more": True,
        "url": "/v1/customers",
    }
    assert len(answer["data"]) == 2


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({"created[gt]": 100}, [300, 200]),
        ({"created[gte]": 200, "created[lt]": 300}, [200]),
        ({"created[lte]": 200}, [200, 100]),
        ({"created": 200}, [200]),
        ({"created[gt]": 300}, []),
    ],
)
def test_created_narrows_a_list(api, three, bounds, found):
    """Bounds with and without their own second, and one second alone."""
    answer = api.get("/v1/customers", params=bounds)

    assert [row["created"] for row in answer.json()["data"]] == found


def test_pages_go_on_after_an_id(api, provider):
    """Every record comes once, and only the last page has no more."""
    provider.load("customers", 250)
    seen, more = [], []
    while not more or more[-1]:
        answer = api.get("/v1/customers", params={"limit": 100} | ({"starting_after": seen[-1]} if seen else {}))
        seen += ids(answer)
        more.append(answer.json()["has_more"])

    assert more == [True, True, False]
    assert len(set(seen)) == len(seen) == 250


def test_pages_go_back_before_an_id(api, three):
    """The nearest newer ones, still newest first."""
    answer = api.get("/v1/customers", params={"ending_before": three[0], "limit": 1})

    assert ids(answer) == [three[1]]
    assert answer.json()["has_more"] is True


def test_a_cursor_that_is_gone_is_refused_unless_told_otherwise(api, provider, three):
    """Stripe's documents do not say; both can be had."""
    provider.delete("customers", three[1])

    refused = api.get("/v1/customers", params={"starting_after": three[1]})
    provider.settings(deleted_cursors=True)
    accepted = api.get("/v1/customers", params={"starting_after": three[1]})

    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "starting_after"
    assert ids(accepted) == [three[0]]


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"limit": 0}, "parameter_invalid_integer", "limit"),
        ({"limit": 101}, "parameter_invalid_integer", "limit"),
        ({"limit": "many"}, "parameter_invalid_integer", "limit"),
        ({"starting_after": "cus_x"}, "resource_missing", "starting_after"),
        ({"created[gt]": "x"}, "parameter_invalid_integer", "created[gt]"),
        ({"page": 2}, "parameter_unknown", "page"),
        ({"starting_after": "a", "ending_before": "b"}, None, "starting_after"),
    ],
)
def test_wrong_parameters_are_refused(api, params, code, param):
    """With the parameter's name and Stripe's code."""
    answer = api.get("/v1/customers", params=params)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error.get("code"), error["param"], error["type"]) == (code, param, "invalid_request_error")


def test_cancelled_subscriptions_are_left_out_unless_asked_for(api, provider):
    """`status=all` shows them, `status=canceled` shows only them."""
    alive = provider.create("subscriptions")["id"]
    ended = provider.create("subscriptions", status="canceled")["id"]

    assert ids(api.get("/v1/subscriptions")) == [alive]
    assert ids(api.get("/v1/subscriptions?status=all")) == [ended, alive]
    assert ids(api.get("/v1/subscriptions?status=canceled")) == [ended]


def test_objects_on_a_test_clock_are_not_listed(api, provider):
    """They can be retrieved all the same, and listed by their clock."""
    hidden = provider.create("customers", test_clock="clock_1")["id"]

    assert ids(api.get("/v1/customers")) == []
    assert ids(api.get("/v1/customers?test_clock=clock_1")) == [hidden]
    assert api.get(f"/v1/customers/{hidden}").json()["id"] == hidden
    assert provider.truth("customers") == {}
    assert list(provider.truth("customers", unlisted=True)) == [hidden]


def test_a_list_can_be_narrowed_to_a_customer(api, provider):
    """For every stream that names one."""
    for stream in ("subscriptions", "invoices", "charges", "payment_intents"):
        hers = provider.create(stream, customer="cus_a")["id"]
        provider.create(stream, customer="cus_b")
        assert ids(api.get(f"/v1/{stream}?customer=cus_a")) == [hers]


def test_a_subscription_shows_ten_items_and_the_rest_by_pages(api, provider):
    """`has_more` says so, the address of the list leads to all of them."""
    made = provider.create("subscriptions", items=23)
    shown = api.get(f"/v1/subscriptions/{made['id']}").json()["items"]
    rows = list(shown["data"])
    while shown["has_more"]:
        params = {"subscription": made["id"], "limit": 10, "starting_after": rows[-1]["id"]}
        shown = api.get("/v1/subscription_items", params=params).json()
        rows += shown["data"]

    assert len(rows) == 23
    assert provider.truth("subscriptions")[made["id"]]["items"]["data"] == rows


def test_an_invoice_shows_ten_lines_and_the_rest_by_pages(api, provider):
    """In a list as well as alone."""
    made = provider.create("invoices", lines=12)
    listed = api.get("/v1/invoices").json()["data"][0]["lines"]
    rest = api.get(f"/v1/invoices/{made['id']}/lines", params={"starting_after": listed["data"][-1]["id"]}).json()

    assert (len(listed["data"]), listed["has_more"]) == (10, True)
    assert (len(rest["data"]), rest["has_more"]) == (2, False)
    assert made["total"] == sum(row["amount"] for row in listed["data"] + rest["data"])


def test_a_deleted_customer_is_in_no_list_and_is_retrieved_as_deleted(api, three):
    """The only kind of object of which Stripe still says that it was there."""
    answer = api.delete(f"/v1/customers/{three[0]}")

    gone = {"id": three[0], "object": "customer", "deleted": True}
    assert answer.json() == gone
    assert three[0] not in ids(api.get("/v1/customers"))
    assert api.get(f"/v1/customers/{three[0]}").json() == gone


def test_any_other_deleted_object_is_not_found(api, provider):
    """404 with Stripe's own body."""
    product = provider.create("products", name="Shirt")["id"]
    provider.delete("products", product)

    answer = api.get(f"/v1/products/{product}")

    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["code"] == "resource_missing"
    assert error["message"] == f"No such product: '{product}'"
    assert error["param"] == "id"
