"""Keys, versions, limits, idempotency and clocks."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest


def get(provider, path="/v1/customers", **headers):
    return httpx.get(provider.url + path, headers=headers, trust_env=False, verify=False)


def test_the_key_opens_its_account_by_bearer_and_by_basic_authentication(provider):
    """The same account both ways."""
    bearer = get(provider, "/v1/account", Authorization=f"Bearer {provider.key}")
    basic = httpx.get(f"{provider.url}/v1/account", auth=(provider.key, ""), trust_env=False, verify=False)

    assert bearer.json()["id"] == basic.json()["id"] == provider.account


def test_no_key_a_wrong_key_and_a_revoked_key(provider):
    """401 each, with Stripe's words, and never the key itself."""
    wrong = get(provider, Authorization="Bearer sk_test_wrongwrongwrong")
    provider.revoke()
    revoked = get(provider, Authorization=f"Bearer {provider.key}")

    assert get(provider).status_code == wrong.status_code == revoked.status_code == 401
    assert "wrongwrongw" not in wrong.text
    assert revoked.json()["error"]["code"] == "api_key_expired"
    assert provider.key not in revoked.text


def test_a_restricted_key_may_not_read_everything(provider):
    """403 where it is forbidden, 200 where it is not."""
    key = provider.another_key(prefix="rk", forbidden=["/v1/charges*"])

    assert key.startswith("rk_test_")
    assert get(provider, "/v1/charges", Authorization=f"Bearer {key}").status_code == 403
    assert get(provider, "/v1/customers", Authorization=f"Bearer {key}").status_code == 200


def test_live_and_test_mode_share_an_account_and_nothing_else(provider):
    """One id, two sets of data."""
    provider.create("customers")
    answer = httpx.post(
        f"{provider.url}/_sandbox/stripe/keys",
        json={"account": provider.account, "mode": "live"},
        trust_env=False,
        verify=False,
    ).json()

    assert answer["key"].startswith("sk_live_")
    assert get(provider, Authorization=f"Bearer {answer['key']}").json()["data"] == []


def test_the_version_is_checked_and_echoed(provider, api):
    """What was asked for, or the account's own."""
    asked = api.get("/v1/customers", headers={"Stripe-Version": "2025-03-31.basil"})
    default = api.get("/v1/customers")
    wrong = api.get("/v1/customers", headers={"Stripe-Version": "yesterday"})

    assert asked.headers["stripe-version"] == "2025-03-31.basil"
    assert default.headers["stripe-version"] == provider.settings()["api_version"]
    assert wrong.status_code == 400
    assert wrong.json()["error"]["message"] == "Invalid Stripe API version: yesterday"


def test_every_answer_has_its_request_id(api):
    """Refusals too."""
    assert api.get("/v1/customers").headers["request-id"] != api.get("/v1/nothing").headers["request-id"]


def test_the_limits_are_those_that_stripe_publishes(provider, sandbox):
    """25 a second for an account in test mode, 100 in live mode, 25 for each endpoint."""
    live = type(provider)(sandbox, mode="live")

    assert [provider.settings()[name] for name in ("account_limit", "endpoint_limit")] == [25, 25]
    assert [live.settings()[name] for name in ("account_limit", "endpoint_limit")] == [100, 25]
    live.close()


def test_an_endpoint_takes_so_many_a_second(provider, api):
    """The rest is refused with Stripe's reason, and the ledger counts both."""
    provider.limits(account=100, endpoint=3)

    answers = [api.get("/v1/customers") for _ in range(8)]
    other = api.get("/v1/products")

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 5
    assert refused[0].headers["stripe-rate-limited-reason"] == "endpoint-rate"
    assert refused[0].json()["error"]["code"] == "rate_limit"
    assert other.status_code == 200
    assert provider.rates()["refused"] == 5
    assert provider.rates()["busiest_second_by_endpoint"]["GET /v1/customers"] == 8


def test_an_account_takes_so_many_a_second_over_all(provider, api):
    """Two lists are two endpoints of one account."""
    provider.limits(account=4, endpoint=25)

    answers = [api.get(f"/v1/{stream}") for _ in range(4) for stream in ("customers", "products")]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 4
    assert refused[0].headers["stripe-rate-limited-reason"] == "global-rate"


def test_a_second_later_there_is_room_again(provider, api):
    """The second slides: it does not begin anew at full seconds."""
    provider.limits(account=1)
    first, second = api.get("/v1/customers"), api.get("/v1/customers")
    time.sleep(1.01)

    assert [answer.status_code for answer in (first, second, api.get("/v1/customers"))] == [200, 429, 200]


def test_a_key_used_again_gives_the_first_answer_again(api, provider):
    """One write, told once."""
    first, second = (api.post("/v1/customers", data={"name": "A"}, headers={"Idempotency-Key": "k"}) for _ in "ab")

    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert len(provider.truth("customers")) == 1
    assert [write["change"] for write in provider.ledger()["writes"]] == ["created"]


def test_a_key_used_for_something_else_is_refused(api):
    """400, of a type of its own."""
    api.post("/v1/customers", data={"name": "A"}, headers={"Idempotency-Key": "k"})
    answer = api.post("/v1/customers", data={"name": "B"}, headers={"Idempotency-Key": "k"})

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "idempotency_error"


def test_a_key_is_forgotten_after_a_day(api, provider):
    """Then it writes again."""
    api.post("/v1/customers", data={"name": "A"}, headers={"Idempotency-Key": "k"})
    provider.settings(skew=24 * 3600 + 1)
    api.post("/v1/customers", data={"name": "A"}, headers={"Idempotency-Key": "k"})

    assert len(provider.truth("customers")) == 2


def test_a_key_whose_first_request_is_under_way_is_refused(api, provider):
    """409, worth trying again."""
    provider.latency(0.5)

    def post(_):
        return api.post("/v1/customers", data={"name": "A"}, headers={"Idempotency-Key": "k"})

    with ThreadPoolExecutor() as pool:
        answers = sorted(pool.map(post, range(2)), key=lambda answer: answer.status_code)

    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[1].headers["stripe-should-retry"] == "true"


def test_a_saved_500_is_given_again(api, provider):
    """Stripe keeps what came of a key, whatever it was; the write was done."""
    provider.fault("status", method="POST", status=500, perform=True)
    answers = [api.post("/v1/customers", headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [500, 500]
    assert len(provider.truth("customers")) == 1


def test_a_refused_request_does_not_use_up_its_key(api):
    """Validation comes before the key."""
    refused = api.post("/v1/products", headers={"Idempotency-Key": "k"})
    taken = api.post("/v1/products", data={"name": "A"}, headers={"Idempotency-Key": "k"})

    assert (refused.status_code, taken.status_code) == (400, 200)


@pytest.mark.parametrize("skew", [600, -86400])
def test_the_clock_can_be_wrong(api, provider, skew):
    """Dates and `created` follow the provider's clock, not ours."""
    now = provider.settings(skew=skew)["now"]
    made = api.post("/v1/customers").json()

    assert abs(made["created"] - (time.time() + skew)) < 5
    assert abs(now - (time.time() + skew)) < 5


def test_the_clock_can_stand_still(api, provider):
    """Everything then happens in one second."""
    provider.settings(fixed=1_700_000_000)

    answer = api.post("/v1/customers")

    assert answer.json()["created"] == 1_700_000_000
    assert answer.headers["date"] == "Tue, 14 Nov 2023 22:13:20 GMT"
