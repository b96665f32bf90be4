"""Signing in: the consent page, codes, tokens that rotate, end and are revoked."""

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth import AuthorizeUrlGenerator
from slack_sdk.oauth.installation_store import FileInstallationStore, Installation
from slack_sdk.oauth.token_rotation import TokenRotator

BACK = "http://127.0.0.1:8000/connect/slack/callback"
SCOPES = ["channels:read", "channels:history", "users:read"]


@pytest.fixture
def client(slack):
    slack.unlimited()
    return WebClient(base_url=f"{slack.url}/api/")


def authorize_url(slack, state="state-1", scopes=SCOPES, **more):
    made = AuthorizeUrlGenerator(
        client_id=slack.app["client_id"],
        scopes=scopes,
        redirect_uri=BACK,
        authorization_url=f"{slack.url}/oauth/v2/authorize",
    ).generate(state)
    return made + ("&" + urlencode(more) if more else "")


def sent_back(location):
    assert location.startswith(f"{BACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def exchange(client, slack, code, **more):
    app = {"client_id": slack.app["client_id"], "client_secret": slack.app["client_secret"]}
    return client.oauth_v2_access(**(app | {"code": code, "redirect_uri": BACK} | more))


def refresh(client, slack, token, **more):
    app = {"client_id": slack.app["client_id"], "client_secret": slack.app["client_secret"]}
    return client.oauth_v2_access(**(app | {"grant_type": "refresh_token", "refresh_token": token} | more))


def test_allowing_leads_back_with_a_code_that_is_good_for_tokens(client, slack):
    """The workspace is the one that was chosen on the page, the scopes are those that were asked for."""
    code = sent_back(slack.consent(authorize_url(slack)))

    told = exchange(client, slack, code["code"])

    assert code["state"] == "state-1"
    assert told["team"] == {"id": slack.team, "name": "Acme"}
    assert told["scope"].split(",") == SCOPES
    assert told["token_type"] == "bot"
    assert told["access_token"].startswith("xoxe.xoxb-1-")
    assert told["refresh_token"].startswith("xoxe-1-")
    assert told["expires_in"] == 43_200
    assert WebClient(told["access_token"], base_url=f"{slack.url}/api/").auth_test()["user_id"] == told["bot_user_id"]


def test_denying_leads_back_without_a_code(slack):
    """With the state, and Slack's word for it."""
    assert sent_back(slack.consent(authorize_url(slack), allow=False)) == {"error": "access_denied", "state": "state-1"}


def test_the_page_says_what_is_asked_for_and_by_whom(slack):
    """It is a form that a browser without scripts can send; what it carries is escaped."""
    page = httpx.get(authorize_url(slack, state='"><b>'), trust_env=False, verify=False)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "channels:history" in page.text
    assert f'<option value="{slack.team}" selected>' in page.text
    assert "<b>" not in page.text


@pytest.mark.parametrize(
    "change", [{"client_id": "1.2"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": "http://127.0.0.2/"}]
)
def test_who_must_not_be_sent_back_is_not(slack, change):
    """An unknown app or an address that is not registered: Slack's own page, no redirect."""
    asked = {"client_id": slack.app["client_id"], "scope": "users:read", "redirect_uri": BACK} | change

    answer = httpx.get(f"{slack.url}/oauth/v2/authorize", params=asked, trust_env=False, verify=False)

    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_registered_addresses_cover_what_lies_below_them(slack):
    """A path that only begins alike does not."""
    slack.setup(redirect_uris=["https://app.example/connect"])
    asked = {"client_id": slack.app["client_id"], "scope": "users:read"}

    def status(uri):
        params = asked | {"redirect_uri": uri}
        return httpx.get(f"{slack.url}/oauth/v2/authorize", params=params, trust_env=False, verify=False).status_code

    assert status("https://app.example/connect/slack") == 200
    assert status("https://app.example/connected") == 400
    assert status("https://app.example:444/connect") == 400


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code": "1.2.3"}, "invalid_code"),
        ({"client_secret": "wrong"}, "bad_client_secret"),
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"redirect_uri": f"{BACK}/other"}, "bad_redirect_uri"),
        ({"code_verifier": "x" * 43}, "invalid_code_verifier"),
        ({"grant_type": "password"}, "invalid_grant_type"),
    ],
)
def test_what_gives_no_tokens(client, slack, change, error):
    """`ok: false` with Slack's word; the code is good afterwards still."""
    code = sent_back(slack.consent(authorize_url(slack)))["code"]

    with pytest.raises(SlackApiError, match=error):
        exchange(client, slack, **({"code": code} | change))

    assert exchange(client, slack, code)["ok"]


def test_a_code_serves_once_and_for_ten_minutes(client, slack):
    """By the workspace's own clock."""
    used = sent_back(slack.consent(authorize_url(slack)))["code"]
    old = sent_back(slack.consent(authorize_url(slack)))["code"]
    exchange(client, slack, used)

    with pytest.raises(SlackApiError, match="code_already_used"):
        exchange(client, slack, used)
    slack.settings(skew=601)
    with pytest.raises(SlackApiError, match="invalid_code"):
        exchange(client, slack, old)


def test_a_refresh_token_serves_once(client, slack):
    """It gives a new pair; the access token before it stays good until it ends."""
    first = slack.install()

    second = refresh(client, slack, first["refresh_token"])

    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    assert slack.call("auth.test", first["access_token"])["ok"]
    with pytest.raises(SlackApiError, match="invalid_refresh_token"):
        refresh(client, slack, first["refresh_token"])
    assert refresh(client, slack, second["refresh_token"])["ok"]


def test_an_access_token_ends_after_twelve_hours(client, slack):
    """The refresh token is good for longer."""
    told = slack.install()
    slack.settings(skew=43_201)

    assert slack.call("auth.test")["error"] == "token_expired"
    again = refresh(client, slack, told["refresh_token"])
    assert slack.call("auth.test", again["access_token"])["ok"]


def test_the_sdk_rotates_by_itself(client, slack, tmp_path):
    """Its own rotator keeps an installation alive."""
    told = slack.install()
    store = FileInstallationStore(base_dir=str(tmp_path), client_id=slack.app["client_id"])
    store.save(
        Installation(
            team_id=slack.team,
            user_id=slack.owner,
            bot_id="B1",
            bot_user_id=told["bot_user_id"],
            bot_token=told["access_token"],
            bot_refresh_token=told["refresh_token"],
            bot_token_expires_in=told["expires_in"],
        )
    )
    rotator = TokenRotator(client_id=slack.app["client_id"], client_secret=slack.app["client_secret"], client=client)
    found = store.find_installation(enterprise_id=None, team_id=slack.team)

    rotated = rotator.perform_token_rotation(installation=found, minutes_before_expiration=13 * 60)

    assert rotated.bot_token != told["access_token"]
    assert slack.call("auth.test", rotated.bot_token)["ok"]


def test_a_token_of_an_app_without_rotation_does_not_end(client, slack):
    """Signing in again gives the same; exchanged, it ends like all others."""
    slack.setup(rotation=False)
    told = slack.install()

    assert "refresh_token" not in told
    assert told["access_token"].startswith("xoxb-")
    assert slack.install()["access_token"] == told["access_token"]
    slack.setup(rotation=True)
    app = {"client_id": slack.app["client_id"], "client_secret": slack.app["client_secret"]}
    assert client.oauth_v2_exchange(token=told["access_token"], **app)["expires_in"] == 43_200


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive"])
def test_a_revoked_app_can_do_nothing_more(client, slack, error):
    """Neither with its access tokens nor with its refresh tokens, until it is installed again."""
    told = slack.install()
    slack.revoke(error)

    assert slack.call("auth.test")["error"] == error
    with pytest.raises(SlackApiError, match="invalid_refresh_token"):
        refresh(client, slack, told["refresh_token"])
    slack.install()
    assert slack.call("auth.test")["ok"]


def test_scopes_grow_with_every_consent(client, slack):
    """As Slack's do: a second consent takes nothing away."""
    exchange(client, slack, sent_back(slack.consent(authorize_url(slack)))["code"])

    told = exchange(client, slack, sent_back(slack.consent(authorize_url(slack, scopes=["chat:write"])))["code"])

    assert set(told["scope"].split(",")) == {*SCOPES, "chat:write"}


def test_a_person_s_token_beside_the_bot_s(client, slack):
    """It stands in `authed_user`, and reads public channels that the person is not in."""
    slack.create_channel("open", member=False)
    url = authorize_url(slack, user_scope="channels:history,channels:read")

    told = exchange(client, slack, sent_back(slack.consent(url))["code"])

    person = told["authed_user"]
    assert (person["id"], person["token_type"]) == (slack.owner, "user")
    channel = next(iter(slack.truth("channels")))
    assert slack.call("conversations.history", person["access_token"], channel=channel)["ok"]
    assert slack.call("conversations.history", told["access_token"], channel=channel)["error"] == "not_in_channel"


def test_pkce_only_where_it_is_switched_on(slack):
    """An app without it is told so; with it the verifier stands for the secret, and refresh tokens end in 30 days."""
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    url = authorize_url(slack, code_challenge=challenge, code_challenge_method="S256")
    refused = httpx.get(url, trust_env=False, verify=False)
    slack.setup(pkce=True)
    code = sent_back(slack.consent(url))["code"]

    def said(**form):
        app = {"client_id": slack.app["client_id"]}
        return httpx.post(f"{slack.url}/api/oauth.v2.access", data=app | form, trust_env=False, verify=False).json()

    form = {"code": code, "redirect_uri": BACK, "code_verifier": verifier}
    wrong = said(**form | {"code_verifier": "w" * 43})
    mixed = said(**form, client_secret=slack.app["client_secret"])
    told = said(**form)
    again = said(grant_type="refresh_token", refresh_token=told["refresh_token"])
    slack.settings(skew=30 * 86_400 + 1)
    late = said(grant_type="refresh_token", refresh_token=again["refresh_token"])

    assert sent_back(refused.headers["location"])["error"] == "pkce_not_allowed"
    assert [answer["error"] for answer in (wrong, mixed, late)] == [
        "invalid_code_verifier",
        "internal_error",
        "invalid_refresh_token",
    ]


def test_the_app_may_sign_in_by_basic_authentication(client, slack):
    """As the SDK does it."""
    code = sent_back(slack.consent(authorize_url(slack)))["code"]
    auth = (slack.app["client_id"], slack.app["client_secret"])

    told = httpx.post(
        f"{slack.url}/api/oauth.v2.access",
        data={"code": code, "redirect_uri": BACK},
        auth=auth,
        trust_env=False,
        verify=False,
    )

    assert told.json()["ok"]


def test_one_app_in_two_workspaces(client, slack, another_slack):
    """Each has tokens and a bot of its own."""
    here = exchange(client, slack, sent_back(slack.consent(authorize_url(slack)))["code"])
    there = exchange(client, slack, sent_back(another_slack.consent(authorize_url(slack)))["code"])

    assert (here["team"]["id"], there["team"]["id"]) == (slack.team, another_slack.team)
    slack.revoke()
    assert slack.call("auth.test", here["access_token"])["error"] == "token_revoked"
    assert slack.call("auth.test", there["access_token"])["team_id"] == another_slack.team


def test_no_secret_stands_in_the_ledger(client, slack):
    """Neither codes nor tokens nor the app's secret."""
    code = sent_back(slack.consent(authorize_url(slack)))["code"]
    told = exchange(client, slack, code)
    refresh(client, slack, told["refresh_token"])
    slack.call("auth.test", told["access_token"])

    written = str(slack.ledger())

    assert "oauth.v2.access" in written
    for secret in (code, told["access_token"], told["refresh_token"], slack.app["client_secret"]):
        assert secret not in written
