"""Faults at Slack: refusals, broken pages, broken connections, and writes whose answer is lost."""

import json

import httpx
import pytest


@pytest.fixture
def api(slack):
    """HTTP with the bot's token, without limits in the way."""
    slack.unlimited()
    token = slack.install()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(
        base_url=f"{slack.url}/api/", headers=headers, trust_env=False, verify=False, timeout=10
    ) as client:
        yield client


@pytest.fixture
def general(slack):
    return slack.create_channel("general")["id"]


def test_a_fault_meets_the_method_it_is_meant_for(api, slack, general):
    """After so many, so many times, or by what was asked."""
    slack.fault("error", "conversations.info", after=1, times=1, error="fatal_error")
    slack.fault("error", "conversations.history", query=f"channel={general}", error="not_in_channel")
    info = [api.get("conversations.info", params={"channel": general}).json().get("error") for _ in range(3)]

    assert info == [None, "fatal_error", None]
    assert api.post("conversations.history", data={"channel": general}).json()["error"] == "not_in_channel"
    assert [row["fault"] for row in slack.requests("conversations.info")] == [None, "error", None]


def test_a_refusal_with_fields(api, slack):
    """As `missing_scope` has them."""
    slack.fault("error", "users.list", error="missing_scope", needed="users:read", provided="chat:write")

    answer = api.get("users.list")

    assert answer.status_code == 200
    assert answer.json() == {"ok": False, "error": "missing_scope", "needed": "users:read", "provided": "chat:write"}


@pytest.mark.parametrize("value", ["3", "0", "86400", "abc"])
def test_429(api, slack, value):
    """`Retry-After` goes out as it was given."""
    slack.fault("status", status=429, retry_after=value)

    answer = api.get("auth.test")

    assert (answer.status_code, answer.headers["retry-after"]) == (429, value)
    assert answer.json()["error"] == "ratelimited"


def test_server_errors(api, slack):
    """Slack's own, and a proxy's page."""
    slack.fault("status", status=503)
    slack.fault("html", status=502)

    own, proxy = api.get("auth.test"), api.get("auth.test")

    assert (own.status_code, own.json()["ok"]) == (503, False)
    assert (proxy.status_code, proxy.headers["content-type"]) == (502, "text/html")


BROKEN = ["cut_chunked", "cut_close", "cut_gzip", "cut_length", "drop", "reset", "reset_before"]
ODD = {"close_delimited": {}, "hang": {"seconds": 0.1}, "pause": {"seconds": 0.1}, "slow": {"bytes_per_second": 10**6}}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_message_is_there_although_its_answer_was_lost(api, slack, general, kind):
    """The connection, or the body, ends after the work was done."""
    slack.fault(kind, "chat.postMessage")

    with pytest.raises((httpx.TransportError, json.JSONDecodeError)):
        api.post("chat.postMessage", data={"channel": general, "text": "once"}).json()

    assert [message["text"] for message in slack.truth("messages").values()] == ["once"]
    assert [(row["change"], row["by"]) for row in slack.writes("messages")] == [("created", "api")]


@pytest.mark.parametrize(("kind", "options"), ODD.items(), ids=ODD)
def test_answers_that_come_whole_in_an_odd_way(api, slack, general, kind, options):
    """Late, slowly, or without saying how long they are."""
    slack.fault(kind, "chat.postMessage", **options)

    answer = api.post("chat.postMessage", data={"channel": general, "text": "once"})

    assert answer.json()["message"]["text"] == "once"


def test_a_500_before_or_after_the_work(api, slack, general):
    """Only the ledger tells."""
    slack.fault("status", "chat.postMessage", status=500)
    api.post("chat.postMessage", data={"channel": general, "text": "x"})
    before = len(slack.truth("messages"))
    slack.fault("status", "chat.postMessage", status=500, perform=True)
    api.post("chat.postMessage", data={"channel": general, "text": "x"})

    assert (before, len(slack.truth("messages"))) == (0, 1)


def test_a_refresh_whose_answer_is_lost(slack):
    """The refresh token is spent all the same."""
    told = slack.install()
    app = {"client_id": slack.app["client_id"], "client_secret": slack.app["client_secret"]}
    said = app | {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    slack.fault("drop", "oauth.v2.access")
    url = f"{slack.url}/api/oauth.v2.access"

    with pytest.raises(httpx.TransportError):
        httpx.post(url, data=said, trust_env=False, verify=False)

    assert httpx.post(url, data=said, trust_env=False, verify=False).json()["error"] == "invalid_refresh_token"
    assert len([row for row in slack.tokens() if row["good"]]) == 2


def test_a_page_that_comes_twice_and_a_list_without_an_end(api, slack, general):
    """Whatever cursor was sent."""
    slack.load(["general"], 5)

    def page(**more):
        return api.get("conversations.history", params={"channel": general, "limit": 2} | more).json()

    first = page()
    cursor = first["response_metadata"]["next_cursor"]
    slack.fault("repeat_page")
    assert page(cursor=cursor) == first
    slack.fault("loop", times=2)
    assert page() == page(cursor=cursor)
    slack.fault("empty_more")
    empty = page()
    assert (empty["messages"], empty["has_more"]) == ([], True)


def test_pages_that_shift(api, slack, general):
    """Behind each page something comes, changes or goes."""
    slack.load(["general"], 20)
    slack.fault("shift", "conversations.history", times=3, seed=7, changes=2, only=["post", "edit", "delete"])
    slack.forget()

    for _ in range(4):
        api.get("conversations.history", params={"channel": general})

    assert len(slack.writes("messages")) >= 6


def test_other_bodies(api, slack):
    """Nothing, HTML with 200, half of the JSON, gzip."""
    for kind in ("empty", "html_200", "not_json", "gzip"):
        slack.fault(kind, "auth.test")

    empty, html, half, packed = (api.get("auth.test") for _ in range(4))

    assert empty.content == b""
    assert html.headers["content-type"] == "text/html"
    with pytest.raises(json.JSONDecodeError):
        half.json()
    assert packed.json()["ok"] is True


def test_latency_and_a_request_that_is_held_back(api, slack):
    """In the ledger before it is answered, so that a test knows when to strike."""
    slack.settings(latency=0.2)
    assert api.get("auth.test").elapsed.total_seconds() >= 0.2
    slack.settings(latency=0)
    slack.fault("hold", seconds=0.3)
    assert api.get("auth.test").elapsed.total_seconds() >= 0.3


def test_the_clock_may_be_wrong(api, slack):
    """The `Date` of every answer says what the workspace's clock says."""
    slack.settings(fixed=1_700_000_000)

    assert api.get("auth.test").headers["date"] == "Tue, 14 Nov 2023 22:13:20 GMT"


def test_an_unknown_fault_or_call_is_refused(slack):
    """With the list of those that there are."""
    url = f"{slack.url}/_sandbox/slack"

    fault = httpx.post(f"{url}/fault", json={"team": slack.team, "kind": "x"}, trust_env=False, verify=False)
    call = httpx.post(f"{url}/nothing", json={"team": slack.team}, trust_env=False, verify=False)
    nobody = httpx.post(f"{url}/post", json={}, trust_env=False, verify=False)

    assert [answer.status_code for answer in (fault, call, nobody)] == [400, 400, 400]
    assert "cut_gzip" in fault.json()["error"]
    assert "create_channel" in call.json()["error"]
