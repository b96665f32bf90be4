"""Case 48: tokens that Pub/Sub signs. Only what Google signed for us passes, however often others try."""

import asyncio
import base64
import hmac
import json
import random
import time
from collections import Counter

import pytest
from joserfc.jwk import RSAKey

from connectors import google_keys
from connectors.errors import Unavailable
from connectors.google_keys import claims_of
from connectors.webhooks import Forged
from tests.connectors import vouched
from tests.connectors.vouched import ANOTHER, AUDIENCE, EMAIL, KEY, claims, part, served, signed
from tests.fixtures.syncing import until

NOW = int(time.time())


@pytest.fixture
async def google(monkeypatch):
    monkeypatch.setattr(google_keys, "FETCH_SECONDS", 0.5)
    async with vouched.google_keys(monkeypatch) as keys:
        yield keys


async def accepted(token, *, now=None):
    """Nothing but Forged may be raised for what is in a token."""
    try:
        await claims_of(token, audience=AUDIENCE, email=EMAIL, now=now or time.time())
    except Forged:
        return False
    return True


def unsigned(said, **header):
    return f"{part({'alg': 'none', 'kid': 'one'} | header)}.{part(said)}."


def hashed(secret, alg="HS256"):
    """Signed with a secret that everybody knows: a form of the public key."""
    text = unsigned(claims(), alg=alg)[:-1]
    return f"{text}.{part(hmac.digest(secret, text.encode(), 'sha' + alg[2:]))}"


SAID = {
    "aud": ("https://evil.test", AUDIENCE + "/", AUDIENCE.upper(), "", None, [AUDIENCE], {}, 1),
    "email": ("evil@project.iam.gserviceaccount.com", EMAIL.upper(), EMAIL + " ", "", None, [EMAIL], True),
    "email_verified": (False, None, "true", 1, [True]),
    "iss": ("https://evil.test", "http://accounts.google.com", "accounts.google.com.evil.test", "", None, [], {}, 1),
    "exp": (NOW - 1, NOW - 10**6, 0, -1, None, "x", str(NOW + 600), True, [NOW + 600], {}),
    "iat": (NOW + 10**5, 10**400, None, "x", True, []),
}
"""Each alone makes the token worthless."""
RAW = (b"", b"1", b"[]", b"null", b'"x"', b"{", b"\xff\xfe", b"[" * 3000, b'{"exp":NaN}', b'{"exp":1e999,"exp":-1}')


def others_keys():
    public = KEY.as_dict(private=False)
    return [
        *(signed(key=ANOTHER, **{name: f"{{url}}/{name}"}) for name in ("jku", "x5u")),
        signed(key=ANOTHER, jwk=ANOTHER.as_dict(private=False)),
        signed(key=ANOTHER, x5c=["MIIB"]),
        signed(key=ANOTHER),
        signed(key=RSAKey.generate_key(2048, {"kid": "two"}, private=True), kid="two"),
        *(hashed(secret) for secret in (KEY.as_pem(private=False), KEY.as_der(private=False), public["n"].encode())),
        hashed(json.dumps(public).encode()),
        hashed(KEY.as_pem(private=False), "HS512"),
        hashed(b""),
    ]


def malformed():
    good = signed()
    head, said, signature = good.split(".")
    return [
        unsigned(claims()),
        *(unsigned(claims(), alg=alg) for alg in ("RS256", "None", "NONE", "", None, 1, [], "HS256", "ES256", "PS256")),
        *(unsigned(claims(), kid=kid) for kid in (None, 1, [], {}, "", "../one", "one\x00", "x" * 4000)),
        *(f"{part(raw)}.{said}.{signature}" for raw in RAW),
        *(f"{head}.{part(raw)}.{signature}" for raw in RAW),
        *(signed(raw) for raw in RAW),
        signed(crit=["exp"]),
        f"{part({'alg': 'RS256', 'kid': 'one', 'b64': False, 'crit': ['b64']})}.{said}.{signature}",
        *("", ".", "..", "...", "a.b.c", "a.b.c.d.e", good[:-4], good + "x", good + ".", f"{head}.{said}", "é" * 10),
        *("x" * 100_000, good + "A" * 10_000, "\x00", good.replace(".", ".\n"), " ".join(good)),
    ]


async def test_only_the_right_one_passes(google, capsys):
    """Wrong audience, account, issuer, time, algorithm or key: refused; the right one, from either issuer, is not."""
    wrong = [signed(claims(**{name: value})) for name, values in SAID.items() for value in values]
    forged = [*wrong, *(token.replace("{url}", google.url) for token in others_keys()), *malformed()]
    passed = [token for token in forged if await accepted(token)]

    with capsys.disabled():
        print(f"\n{len(forged)} forged tokens, {len(passed)} accepted, {google.asked} requests for keys")
    assert passed == []
    assert await accepted(signed())
    assert await accepted(signed(claims(iss="accounts.google.com")))
    assert google.paths == [b"/certs"]  # whatever addresses a token names


@pytest.mark.parametrize(("name", "seconds", "good"), [("exp", 1, True), ("exp", 0, False), ("iat", 300, True)])
async def test_times(google, name, seconds, good):
    """A token ends to the second; one from a clock ahead of ours passes up to 300 s."""
    now = time.time()
    assert await accepted(signed(claims(**{name: now + seconds})), now=now) is good
    assert not await accepted(signed(claims(iat=now + 301)), now=now)


async def test_changed_tokens(google, capsys):
    """Any change to a good token makes it worthless, and raises nothing but that."""
    chance = random.Random(48)
    good = signed()
    changed = Counter()
    for _ in range(2_000):
        at, char = chance.randrange(len(good)), chance.choice("aA0-_.=\x00 é\n")
        token = chance.choice(
            [good[:at] + char + good[at + 1 :], good[:at] + good[at + 1 :], good[:at] + char + good[at:]]
        )
        if token != good and not _same(token, good):
            changed[await accepted(token)] += 1

    with capsys.disabled():
        print(f"\n{changed[False]} changed tokens refused, {changed[True]} accepted, {google.asked} requests")
    assert changed[True] == 0
    assert google.asked == 1


def _same(token, good):
    """What a signature is written in may vary: its last character has bits that mean nothing."""
    (start, _, given), (meant, _, signature) = token.rpartition("."), good.rpartition(".")
    try:
        return start == meant and base64.urlsafe_b64decode(given + "==") == base64.urlsafe_b64decode(signature + "==")
    except ValueError:
        return False


async def test_unknown_keys_without_end(google, capsys, monkeypatch):
    """A thousand tokens with as many unknown keys cost one request in ten seconds, and the right one still passes."""
    monkeypatch.setattr(google_keys, "FETCH_SECONDS", 30)  # a thousand tokens keep the loop busy
    assert await accepted(signed())
    good = signed().split(".")
    unknown = [".".join([part({"alg": "RS256", "kid": f"k{number}"}), *good[1:]]) for number in range(1_000)]
    began = time.monotonic()
    refused = await asyncio.gather(*(accepted(token) for token in unknown))
    took, first = time.monotonic() - began, google.asked
    for keys in google_keys._of.values():
        keys._asked_at -= google_keys.AGAIN_SECONDS  # ten seconds later
    refused += await asyncio.gather(*(accepted(token) for token in unknown))

    with capsys.disabled():
        print(f"\n1000 unknown keys, {first} request in {took:.1f} s; and {google.asked - first} ten seconds later")
    assert not any(refused)
    assert first == 1
    assert google.asked == 2
    assert await accepted(signed())


async def hang(writer):
    await asyncio.sleep(30)


async def trickle(writer):
    writer.write(served(KEY)[:60])
    while True:
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b" ")


async def endless(writer):
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"keys": ["')
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
AWAY = {
    "server error": served(status=b"503 Service Unavailable", body=b"oops"),
    "too many requests": served(status=b"429 Too Many Requests", body=b"{}"),
    "not found": served(status=b"404 Not Found", body=b"{}"),
    "html": served(body=b"<html>welcome</html>"),
    "cut": served(KEY)[:200],
    "nothing": b"",
    "redirect": REDIRECT,
    "no keys": served(body=b'{"keys": []}'),
    "no list": served(body=b'{"keys": {}}'),
    "deep": served(body=b'{"keys": ' + b"[" * 100_000),
    "other keys": served(body=b'{"keys": [{"kty": "EC", "kid": "one"}, {"kty": "RSA", "kid": 1}]}'),
    "half a key": served(body=b'{"keys": [{"kty": "RSA", "kid": "one", "n": "AQAB", "e": "!"}]}'),
    "short key": served(body=b'{"keys": [{"kty": "RSA", "kid": "one", "n": "%b", "e": "AQAB"}]}' % (b"x" * 171)),
    "hang": hang,
    "trickle": trickle,
    "endless": endless,
}


@pytest.mark.parametrize("away", AWAY)
async def test_google_is_away(google, monkeypatch, away):
    """With no key nothing can be said yet; with keys that are known, also when they are stale, all goes on as before.

    Either way Google is asked once in ten seconds.
    """
    google.answer = AWAY[away]
    for _ in range(3):
        with pytest.raises(Unavailable):
            await accepted(signed())
    assert google.asked == 1

    google.answer = served(KEY)
    google_keys._of.clear()
    assert await accepted(signed())
    google.answer, google.asked = AWAY[away], 0
    monkeypatch.setattr(google_keys, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(google_keys, "STALE_SECONDS", 0.0)
    assert await accepted(signed())
    assert google.asked == 1
    assert not await accepted(signed(claims(aud="https://evil.test")))


async def test_whoever_has_a_key_does_not_wait(google, monkeypatch):
    """While Google hangs one delivery waits for it; the others are judged by the keys that are known."""
    monkeypatch.setattr(google_keys, "FETCH_SECONDS", 5.0)
    assert await accepted(signed())
    google.answer = hang
    monkeypatch.setattr(google_keys, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(google_keys, "STALE_SECONDS", 0.0)
    first = asyncio.create_task(accepted(signed()))
    await until(lambda: google.asked == 2, "the request for keys")

    assert all(await asyncio.wait_for(asyncio.gather(*(accepted(signed()) for _ in range(50))), 4))

    assert not first.done()
    assert google.asked == 2
    first.cancel()


async def test_keys_are_rotated(google, monkeypatch):
    """A new key is found when the first token that it signed comes; one that Google has withdrawn is good no more."""
    monkeypatch.setattr(google_keys, "AGAIN_SECONDS", 0.0)
    assert await accepted(signed())
    new = RSAKey.generate_key(2048, {"kid": "two"}, private=True)
    google.answer = served(KEY, new)
    assert await accepted(signed(key=new, kid="two"))
    assert google.asked == 2

    google.answer = served(new)
    monkeypatch.setattr(google_keys, "STALE_SECONDS", 0.0)
    assert not await accepted(signed())
    assert await accepted(signed(key=new, kid="two"))


async def test_a_key_that_makes_no_sense(google):
    """It harms none of the others."""
    listed = [None, [], 1, {}, {"kty": "RSA", "kid": "bad", "n": "é", "e": "AQAB"}, KEY.as_dict(private=False)]
    google.answer = served(body=json.dumps({"keys": listed[3:]}).encode())
    assert await accepted(signed())
