"""Faults that wait for their request, and those that change a page."""

import base64

import httpx
import pytest


def page(api, **params):
    return api.get("/v1/customers", params=params).json()


def test_a_fault_meets_the_request_it_is_meant_for(api, provider):
    """By method and route, after so many, so many times."""
    provider.fault("status", "/v1/customers", method="GET", after=1, times=2, status=503)

    asked = [api.get("/v1/products"), *(api.get("/v1/customers") for _ in range(4))]

    assert [answer.status_code for answer in asked] == [200, 200, 503, 503, 200]
    assert [row["fault"] for row in provider.requests("/v1/customers")] == [None, "status", "status", None]


def test_a_fault_stays_until_it_is_lifted(api, provider):
    """`times=None` is for good; what waits can be looked at."""
    provider.fault("status", times=None, status=500)
    api.get("/v1/customers")

    assert provider.faults()[0]["met"] == 1
    assert provider.lift() == 1
    assert api.get("/v1/customers").status_code == 200


def test_a_fault_can_look_at_the_query(api, provider):
    """Only the second page of a list, say."""
    provider.fault("status", query="starting_after", status=502)
    first = provider.create("customers")["id"]

    assert api.get("/v1/customers").status_code == 200
    assert api.get("/v1/customers", params={"starting_after": first}).status_code == 502


@pytest.mark.parametrize("value", ["2", "0", "-5", "1.5", "abc", "86400", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_429_says_when_to_come_back_in_whatever_words(api, provider, value):
    """`Retry-After` goes out as it was given."""
    provider.fault("status", status=429, retry_after=value)

    answer = api.get("/v1/customers")

    assert (answer.status_code, answer.headers["retry-after"]) == (429, value)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_with_a_proxy_s_html(api, provider, status):
    """No JSON to be found."""
    provider.fault("html", status=status)

    answer = api.get("/v1/customers")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html"


def test_a_500_before_or_after_the_work(api, provider):
    """Only the ledger tells."""
    provider.fault("status", method="POST", status=500)
    api.post("/v1/customers")
    before = len(provider.truth("customers"))
    provider.fault("status", method="POST", status=500, perform=True)
    api.post("/v1/customers")

    assert (before, len(provider.truth("customers"))) == (0, 1)


def test_a_404_that_is_not_stripe_s(api, provider):
    """A proxy's, with no error object in it."""
    provider.fault("bare_404")

    answer = api.get("/v1/customers/cus_x")

    assert answer.status_code == 404
    assert "resource_missing" not in answer.text


def test_a_redirect_elsewhere(api, provider):
    """To whatever address."""
    provider.fault("redirect", location="http://169.254.169.254/latest")

    answer = api.get("/v1/customers")

    assert (answer.status_code, answer.headers["location"]) == (302, "http://169.254.169.254/latest")


def test_an_endpoint_that_is_forbidden_and_a_key_that_is_refused(api, provider):
    """403 and 401 with Stripe's own bodies."""
    provider.fault("forbid", "/v1/charges*", times=None)
    provider.fault("unauthorized", "/v1/products")

    assert "required permissions" in api.get("/v1/charges").json()["error"]["message"]
    assert api.get("/v1/charges/ch_1").status_code == 403
    assert api.get("/v1/products").json()["error"]["code"] == "api_key_expired"


def test_a_page_that_comes_twice(api, provider):
    """Whatever cursor was sent."""
    provider.load("customers", 5)
    first = page(api, limit=2)
    provider.fault("repeat_page")

    again = page(api, limit=2, starting_after=first["data"][-1]["id"])
    second = page(api, limit=2, starting_after=first["data"][-1]["id"])

    assert again == first
    assert second != first


def test_a_list_without_an_end(api, provider):
    """The first page again and again, always with more to come."""
    provider.load("customers", 3)
    provider.fault("loop", times=None)

    first = page(api, limit=3)

    assert first["has_more"] is True
    assert page(api, limit=3, starting_after=first["data"][-1]["id"]) == first


def test_an_empty_page_with_more_to_come(api, provider):
    """`has_more` and nothing to go on after."""
    provider.load("customers", 3)
    provider.fault("empty_more")

    assert page(api) | {"url": ""} == {"object": "list", "data": [], "has_more": True, "url": ""}


def test_pages_that_shift_do_so_the_same_way_for_the_same_seed(api, provider):
    """Behind each page something comes, changes or goes."""
    provider.load("customers", 30)
    provider.fault("shift", "/v1/customers", times=3, seed=7, changes=2)
    for _ in range(3):
        page(api)

    changes = [write["change"] for write in provider.ledger()["writes"][1:]]
    assert len(changes) == 6
    assert set(changes) <= {"created", "updated", "deleted"}


def test_a_request_that_is_held_back(api, provider):
    """It is in the ledger before it is answered, so that a test knows when to strike."""
    provider.fault("hold", seconds=0.3)

    answer = api.get("/v1/customers")

    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.3


def test_any_bytes_as_an_answer(api, provider):
    """For what no other fault covers."""
    body = b'{"object": "list", "data": [NaN], "has_more": false}'
    provider.fault("body", body=base64.b64encode(body).decode(), headers={"Content-Type": "text/plain"})

    answer = api.get("/v1/customers")

    assert (answer.content, answer.headers["content-type"]) == (body, "text/plain")


def test_latency(api, provider):
    """Every answer takes that much longer."""
    provider.latency(0.2)

    assert api.get("/v1/customers").elapsed.total_seconds() >= 0.2


def test_an_unknown_fault_is_refused(provider):
    """With the list of those that there are."""
    answer = httpx.post(
        f"{provider.url}/_sandbox/stripe/fault",
        json={"kind": "x"},
        auth=(provider.key, ""),
        trust_env=False,
        verify=False,
    )

    assert answer.status_code == 400
    assert "cut_gzip" in answer.json()["error"]
