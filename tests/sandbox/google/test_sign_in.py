"""Consent, tokens, and their end; with google-auth where it has a hand in it."""

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials
from joserfc import jwt
from joserfc.jwk import KeySet

READ = "https://www.googleapis.com/auth/calendar.readonly"
MAIL = "https://www.googleapis.com/auth/gmail.readonly"
REDIRECT = "https://app.example.com/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def app(google):
    """The account's client, with one redirect address."""
    google.setup(redirect_uris=[REDIRECT], loopback=False)
    return google


def authorize_url(google, **changes):
    asked = {
        "client_id": google.client["id"],
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": f"{READ} {MAIL}",
        "state": "s t&1",
        "access_type": "offline",
        "prompt": "consent",
    } | changes
    return f"{google.addresses['google_authorize_url']}?{urlencode({k: v for k, v in asked.items() if v is not None})}"


def said(location):
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def ask(google, **form):
    secret = {"client_id": google.client["id"], "client_secret": google.client["secret"]}
    return httpx.post(google.addresses["google_token_url"], data=secret | form, trust_env=False, verify=False)


def exchange(google, location, **form):
    asked = {"grant_type": "authorization_code", "code": said(location)["code"], "redirect_uri": REDIRECT}
    return ask(google, **(asked | form))


def error(answer):
    return answer.status_code, answer.json()["error"]


def test_consent_leads_to_tokens_that_open_what_was_granted(app):
    """The state comes back as it was, the code is good once."""
    location = app.walk_consent(authorize_url(app))
    tokens = exchange(app, location).json()

    assert location.startswith(REDIRECT)
    assert said(location)["state"] == "s t&1"
    assert set(tokens) == {"access_token", "refresh_token", "expires_in", "scope", "token_type"}
    assert set(tokens["scope"].split()) == {READ, MAIL}
    assert app.get("/calendar/v3/calendars/primary", tokens["access_token"]).json()["id"] == app.email
    assert error(exchange(app, location)) == (400, "invalid_grant")


def test_a_box_that_is_not_ticked_is_not_granted(app):
    """What was left out is missing from the answer and refused with its own reason."""
    tokens = exchange(app, app.walk_consent(authorize_url(app), without=(MAIL,))).json()

    refused = app.get("/gmail/v1/users/me/profile", tokens["access_token"])

    assert tokens["scope"] == READ
    assert refused.status_code == 403
    assert refused.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_denied(app):
    """The browser goes back with an error and without a code; so it does when no box is ticked."""
    for location in (
        app.walk_consent(authorize_url(app), allow=False),
        app.walk_consent(authorize_url(app), without=(READ, MAIL)),
    ):
        assert said(location) == {"error": "access_denied", "state": "s t&1"}


@pytest.mark.parametrize(
    ("changes", "status", "why"),
    [
        ({"redirect_uri": f"{REDIRECT}/"}, 400, "redirect_uri_mismatch"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"scope": "nonsense"}, 400, "invalid_scope"),
        ({"response_type": "token"}, 400, "unsupported_response_type"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "S512"}, 400, "invalid_request"),
    ],
)
def test_a_request_that_is_wrong_sends_nobody_back(app, changes, status, why):
    """Google shows a page of its own."""
    page = httpx.get(authorize_url(app, **changes), trust_env=False, verify=False)

    assert page.status_code == status
    assert why in page.text


def test_refresh_token_comes_with_the_first_consent_only(app):
    """A second time only if the user is made to consent again; and never without access_type=offline."""
    online = exchange(app, app.walk_consent(authorize_url(app, access_type=None, prompt=None))).json()
    app.revoke()
    first = exchange(app, app.walk_consent(authorize_url(app, prompt=None))).json()
    second = exchange(app, app.walk_consent(authorize_url(app, prompt=None, login_hint=app.email))).json()
    third = exchange(app, app.walk_consent(authorize_url(app))).json()

    assert ["refresh_token" in told for told in (online, first, second, third)] == [False, True, False, True]


@pytest.mark.parametrize(("method", "challenge"), [("S256", CHALLENGE), ("plain", VERIFIER), (None, VERIFIER)])
def test_code_is_bound_to_the_verifier(app, method, challenge):
    """Missing or wrong it is refused, and the code stays good for whoever has the right one."""
    asked = authorize_url(app, code_challenge=challenge, code_challenge_method=method)
    location = app.walk_consent(asked)

    assert error(exchange(app, location)) == (400, "invalid_grant")
    assert error(exchange(app, location, code_verifier="w" * 64)) == (400, "invalid_grant")
    assert exchange(app, location, code_verifier=VERIFIER).status_code == 200


def test_errors_of_the_token_endpoint(app):
    """Each by its name."""
    location = app.walk_consent(authorize_url(app))

    assert error(exchange(app, location, redirect_uri=f"{REDIRECT}2")) == (400, "redirect_uri_mismatch")
    assert error(exchange(app, location, client_secret="wrong")) == (401, "invalid_client")
    assert error(exchange(app, location, client_id="nobody")) == (401, "invalid_client")
    assert error(exchange(app, location, code="4/0nonsense")) == (400, "invalid_grant")
    assert error(ask(app, grant_type="password")) == (400, "unsupported_grant_type")
    assert error(ask(app, grant_type="refresh_token", refresh_token="1//0nothing")) == (400, "invalid_grant")
    app.settings(skew=601)
    assert error(exchange(app, location)) == (400, "invalid_grant")


def credentials(google, told, **more):
    return Credentials(
        told["access_token"],
        refresh_token=told["refresh_token"],
        token_uri=google.addresses["google_token_url"],
        client_id=google.client["id"],
        client_secret=google.client["secret"],
        **more,
    )


def test_google_auth_refreshes(google):
    """An expired token is refused, its successor opens the same."""
    found = credentials(google, google.consent(READ))
    google.expire()
    assert google.get("/calendar/v3/calendars/primary", found.token).status_code == 401

    found.refresh(Request())

    assert google.get("/calendar/v3/calendars/primary", found.token).status_code == 200


def test_refreshing_with_more_than_was_granted_fails(google):
    """With a part of it, the new token has that part."""
    told = google.consent(READ, MAIL)
    with pytest.raises(RefreshError, match="invalid_scope"):
        credentials(google, told, scopes=[READ, "https://mail.google.com/"]).refresh(Request())

    less = ask(google, grant_type="refresh_token", refresh_token=told["refresh_token"], scope=READ).json()

    assert less["scope"] == READ


def test_revoking_ends_everything_that_was_granted_to_the_client(google):
    """Both tokens of every consent; a second time there is nothing to revoke."""
    one, two = google.consent(READ), google.consent(MAIL)
    url = google.addresses["google_revoke_url"]

    assert httpx.post(url, data={"token": one["refresh_token"]}, trust_env=False, verify=False).status_code == 200
    assert error(httpx.post(url, data={"token": one["refresh_token"]}, trust_env=False, verify=False)) == (
        400,
        "invalid_token",
    )
    assert google.get("/gmail/v1/users/me/profile", two["access_token"]).status_code == 401
    with pytest.raises(RefreshError, match="expired or revoked"):
        credentials(google, two).refresh(Request())
    assert not any(row["good"] for row in google.tokens())


def test_the_hundred_and_first_refresh_token_kills_the_oldest(google):
    """Silently: it is noticed when it is used."""
    tokens = [google.consent(READ)["refresh_token"] for _ in range(101)]

    answers = [ask(google, grant_type="refresh_token", refresh_token=token).status_code for token in tokens[:2]]

    assert answers == [400, 200]


def test_refresh_tokens_of_a_client_in_testing_end_after_seven_days(google):
    """As long as its consent screen is not published."""
    google.setup(testing=True)
    token = google.consent(READ)["refresh_token"]

    google.settings(skew=7 * 86_400 - 60)
    assert ask(google, grant_type="refresh_token", refresh_token=token).status_code == 200
    google.settings(skew=7 * 86_400)
    assert error(ask(google, grant_type="refresh_token", refresh_token=token)) == (400, "invalid_grant")


def test_identity_token_is_signed_by_a_published_key(app):
    """With openid; it says who it is and for whom."""
    location = app.walk_consent(authorize_url(app, scope="openid email", nonce="n1"))
    tokens = exchange(app, location).json()
    keys = KeySet.import_key_set(httpx.get(app.addresses["google_jwks_url"], trust_env=False, verify=False).json())

    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    info = app._client.get("/google/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()

    assert (claims["iss"], claims["aud"], claims["nonce"]) == ("https://accounts.google.com", app.client["id"], "n1")
    assert claims["email"] == info["email"] == app.email
    assert claims["sub"] == info["sub"]
