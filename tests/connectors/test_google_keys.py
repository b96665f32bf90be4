"""Case 48: tokens that Pub/Sub signs. Only what Google signed for us passes, however often others try."""

import asyncio
import base64
import hmac
import json
import time

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from connectors import google_keys
from connectors.errors import Unavailable
from connectors.google_keys import claims_of
from connectors.webhooks import Forged

AUDIENCE, EMAIL = "https://app.example.com/webhooks/gmail", "push@project.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def key():
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)


@pytest.fixture
async def google(monkeypatch, key):
    """Google's keys over HTTP; `asked` counts, and `down` makes them unavailable."""

    class Google:
        asked = 0
        down = False
        keys = KeySet([key]).as_dict(private=False)

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        Google.asked += 1
        body = b"oops" if Google.down else json.dumps(Google.keys).encode()
        status = b"503 Service Unavailable" if Google.down else b"200 OK"
        writer.write(
            b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        )
        writer.write(body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    monkeypatch.setenv("SYNCLINE_GOOGLE_JWKS_URL", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/certs")
    monkeypatch.setattr(google_keys, "FETCH_SECONDS", 1.0)
    yield Google
    server.close()


def claims(**others):
    now = int(time.time())
    usual = {"iss": "https://accounts.google.com", "aud": AUDIENCE, "email": EMAIL, "email_verified": True}
    return {k: v for k, v in (usual | {"iat": now, "exp": now + 600} | others).items() if v is not None}


def signed(key, said=None, **header):
    return jwt.encode({"alg": "RS256", "kid": "one", "typ": "JWT"} | header, said or claims(), key)


async def accepted(token):
    try:
        await claims_of(token, audience=AUDIENCE, email=EMAIL, now=time.time())
    except Forged:
        return False
    return True


def unsigned(said, **header):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'kid': 'one'} | header)}.{part(said)}."


def hashed(text, secret):
    return base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), "sha256")).rstrip(b"=").decode()


async def test_only_the_right_one_passes(google, key, capsys):
    """Wrong audience, account, issuer, time, algorithm or key: refused; the right one, from either issuer, is not."""
    other = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
    now = int(time.time())
    forged = [
        *(signed(key, claims(aud=aud)) for aud in ("https://evil.test", AUDIENCE + "/", None, [AUDIENCE])),
        *(signed(key, claims(email=email)) for email in ("evil@project.iam.gserviceaccount.com", None, EMAIL.upper())),
        *(signed(key, claims(email_verified=said)) for said in (False, None, "true", 1)),
        *(signed(key, claims(iss=iss)) for iss in ("https://evil.test", None, "accounts.google.com.evil.test")),
        *(signed(key, claims(exp=exp)) for exp in (now - 1, None, "x", True)),
        *(signed(key, claims(iat=iat)) for iat in (now + 4000, None)),
        signed(other),
        signed(other, jku="http://127.0.0.1:9/", jwk=other.as_dict(private=False)),
        unsigned(claims()),
        unsigned(claims(), alg="RS256"),
        unsigned(claims(), alg="HS256") + hashed(unsigned(claims(), alg="HS256")[:-1], key.as_pem(private=False)),
        signed(key, kid="two"),
        *("", ".", "..", "a.b.c", signed(key)[:-4], signed(key) + "x", "é" * 10, "x" * 100_000),
    ]
    passed = [token for token in forged if await accepted(token)]

    with capsys.disabled():
        print(f"\n{len(forged)} forged tokens, {len(passed)} accepted, {google.asked} requests for keys")
    assert passed == []
    assert await accepted(signed(key))
    assert await accepted(signed(key, claims(iss="accounts.google.com")))
    assert google.asked == 1


async def test_unknown_keys_without_end(google, key, capsys):
    """A thousand tokens with keys that nobody knows cost one request in ten seconds, and the right one still passes."""
    assert await accepted(signed(key))
    unknown = [signed(key, kid=f"k{number}") for number in range(20)] * 50
    assert not any([await accepted(token) for token in unknown])

    with capsys.disabled():
        print(f"\n{len(unknown)} unknown keys, {google.asked} requests")
    assert google.asked == 1
    assert await accepted(signed(key))


async def test_google_is_down(google, key, monkeypatch):
    """Keys that are known hold while Google is down, also when they are stale; with none, nothing can be said yet."""
    google.down = True
    with pytest.raises(Unavailable):
        await accepted(signed(key))
    monkeypatch.setattr(google_keys, "AGAIN_SECONDS", 0.0)
    google.down = False
    assert await accepted(signed(key))
    google.down = True
    monkeypatch.setattr(google_keys, "STALE_SECONDS", 0.0)
    assert await accepted(signed(key))


async def test_keys_are_rotated(google, key, monkeypatch):
    """A new key is found when the first token that it signed comes."""
    monkeypatch.setattr(google_keys, "AGAIN_SECONDS", 0.0)
    assert await accepted(signed(key))
    new = RSAKey.generate_key(2048, {"kid": "two"}, private=True)
    google.keys = KeySet([key, new]).as_dict(private=False)
    assert await accepted(signed(new, kid="two"))
    assert google.asked == 2
