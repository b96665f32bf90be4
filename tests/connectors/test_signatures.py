"""Signatures of deliveries: ours accept what the providers' own libraries accept, and nothing that is forged."""

import hashlib
import hmac
import random

import pytest
import stripe
from slack_sdk.signature import Clock, SignatureVerifier

from connectors.errors import Misconfigured
from connectors.slack.webhooks import SlackWebhooks
from connectors.stripe.webhooks import StripeWebhooks
from connectors.webhooks import Delivery, Forged

NOW = 1_800_000_000
SECRET = "whsec_one"
BODY = (
    b'{"id": "evt_1", "object": "event", "type": "customer.updated", "created": 5, "livemode": false,'
    b' "data": {"object": {"id": "cus_1", "object": "customer", "name": "Z\xc3\xbcrich \xe2\x9c\x93"}}}'
)
SLACK_BODY = (
    b'{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"team_join","user":{"id":"U1"}}}'
)


def signed(at=NOW, body=BODY, secret=SECRET):
    return hmac.new(secret.encode(), b"%d.%b" % (at, body), hashlib.sha256).hexdigest()


async def stripe_accepts(header, body=BODY, *, secrets=(SECRET,), now=NOW):
    headers = {} if header is None else {"stripe-signature": header}
    try:
        await StripeWebhooks().verify(Delivery(headers, body, now), secrets, address="http://here")
    except Forged:
        return False
    return True


def slack_headers(at=NOW, body=SLACK_BODY, secret=SECRET):
    base = b"v0:%d:%b" % (at, body)
    signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": str(at), "x-slack-signature": signature}


async def slack_accepts(headers, body=SLACK_BODY, *, secrets=(SECRET,), now=NOW):
    try:
        await SlackWebhooks().verify(Delivery(headers, body, now), secrets, address="http://here")
    except Forged:
        return False
    return True


def forged_headers(chance):
    """Headers that no honest Stripe sends for this body, from the table of what others wrongly accept."""
    good = signed()
    yield from (None, "", "t", "t=", ",", "=,=", f"v1={good}", f"t={NOW}", f"t={NOW},v0={good}", f"t={NOW},v1=")
    yield from (f"t={NOW},v1={good[:-1]}", f"t={NOW},v1={good.upper()}", f"t={NOW},v1={good}0", f"t={NOW},v1=é{good}")
    yield from (f"t=-{NOW},v1={good}", f"t=+{NOW},v1={good}", f"t={NOW}.0,v1={good}", f"t= {NOW},v1={good}")
    yield from (f"t={NOW // 10**6}_{NOW % 10**6:06},v1={good}", f"t={NOW},t={NOW},v1={good}", f"t=9{NOW},v1={good}")
    yield "t=" + "".join(chr(ord(digit) + 0xFEE0) for digit in str(NOW)) + f",v1={good}"
    yield from (
        f"t={NOW},v1={signed(secret='whsec_other')}",
        f"t={NOW},v1={signed(secret='')}",
        f"t={'9' * 5000},v1={good}",
    )
    for place in range(64):
        flipped = "0" if good[place] != "0" else "1"
        yield f"t={NOW},v1={good[:place]}{flipped}{good[place + 1 :]}"
    for _ in range(230):
        yield f"t={NOW},v1=" + "".join(chance.choice("0123456789abcdef") for _ in range(64))


async def test_forged_for_stripe(capsys):
    """Three hundred forgeries, one bit or one digit away: none is accepted, and nothing but Forged is raised."""
    tried = [await stripe_accepts(header) for header in forged_headers(random.Random(1))]

    with capsys.disabled():
        print(f"\n{len(tried)} forged signatures of Stripe, {sum(tried)} accepted")
    assert len(tried) >= 300
    assert not any(tried)
    assert not await stripe_accepts(f"t={NOW},v1={signed()}", BODY.replace(b": ", b":"))
    assert not await stripe_accepts(f"t={NOW},v1={signed()}", BODY + b" ")


async def test_what_stripe_accepts(monkeypatch):
    """Whatever Stripe's own library accepts as signed within five minutes of now, we accept too."""
    monkeypatch.setattr("time.time", lambda: NOW)
    chance = random.Random(2)
    accepted = 0
    for _ in range(300):
        at = NOW + chance.randint(-290, 290)
        parts = [f"t={at}", *(f"v1={signed(at, secret=name)}" for name in chance.choices([SECRET, "whsec_two"], k=2))]
        parts += chance.choices([f"v0={signed(at)}", "v1=00", "x=y", "", "v1"], k=chance.randint(0, 3))
        chance.shuffle(parts)
        header = ",".join(parts)
        try:
            stripe.WebhookSignature.verify_header(BODY, header, SECRET, tolerance=300)
        except stripe.SignatureVerificationError:
            continue
        else:
            assert await stripe_accepts(header)
            accepted += 1
    assert accepted > 100


@pytest.mark.parametrize(("seconds", "good"), [(-299, True), (-301, False), (299, True), (301, False)])
async def test_time(seconds, good):
    """Five minutes either way, to the second, for both providers."""
    at = NOW + seconds
    assert await stripe_accepts(f"t={at},v1={signed(at)}") is good
    assert await slack_accepts(slack_headers(at)) is good


async def test_secrets_that_are_rotated():
    """Each of two secrets is good, and either of two signatures; a third one is not."""
    both = ("whsec_old", SECRET)
    assert await stripe_accepts(f"t={NOW},v1={signed(secret='whsec_old')}", secrets=both)
    assert await stripe_accepts(f"t={NOW},v1={signed(secret='whsec_gone')},v1={signed()}", secrets=both)
    assert not await stripe_accepts(f"t={NOW},v1={signed(secret='whsec_gone')}", secrets=both)
    assert await slack_accepts(slack_headers(secret="whsec_old"), secrets=both)
    assert not await slack_accepts(slack_headers(secret="whsec_gone"), secrets=both)


async def test_app_wide_secrets(monkeypatch):
    """The settings' secrets, separated by commas, vouch for what names no other; none set is told by its variable."""
    monkeypatch.setenv("SYNCLINE_STRIPE_WEBHOOK_SECRET", f"whsec_old, {SECRET}")
    monkeypatch.setenv("SYNCLINE_SLACK_SIGNING_SECRET", SECRET)
    assert await stripe_accepts(f"t={NOW},v1={signed()}", secrets=None)
    assert await slack_accepts(slack_headers(), secrets=None)
    monkeypatch.delenv("SYNCLINE_STRIPE_WEBHOOK_SECRET")
    monkeypatch.delenv("SYNCLINE_SLACK_SIGNING_SECRET")
    with pytest.raises(Misconfigured, match="SYNCLINE_STRIPE_WEBHOOK_SECRET"):
        await stripe_accepts(f"t={NOW},v1={signed()}", secrets=None)
    with pytest.raises(Misconfigured, match="SYNCLINE_SLACK_SIGNING_SECRET"):
        await slack_accepts(slack_headers(), secrets=None)


class At(Clock):
    def now(self):
        return NOW


def says(oracle, headers):
    """What the library says where it does not throw."""
    at, signature = headers["x-slack-request-timestamp"], headers["x-slack-signature"]
    plain = at.isascii() and at.isdigit() and signature.isascii()
    return plain and oracle.is_valid(SLACK_BODY, at, signature)


async def test_slack_as_its_own_library(capsys):
    """Good signatures, and three hundred that are not: we say what Slack's own library says, and never crash."""
    chance, oracle = random.Random(3), SignatureVerifier(SECRET, clock=At())
    refused = 0
    for number in range(400):
        at = NOW + chance.randint(-400, 400)
        headers = slack_headers(at, secret=chance.choice([SECRET, SECRET, "other"]))
        name = chance.choice(list(headers))
        if number % 2:
            mangled = list(headers[name])
            mangled[chance.randrange(len(mangled))] = chance.choice("0f_é \x7f")
            headers[name] = "".join(mangled)
        said = says(oracle, headers)
        ours = await slack_accepts(headers)
        assert ours is bool(said), headers
        refused += not ours
    with capsys.disabled():
        print(f"\n400 signatures of Slack, {refused} refused, as Slack's library does")
    assert 200 < refused < 390
    for headers in ({}, {"x-slack-signature": "v0="}, slack_headers() | {"x-slack-signature": "v1=" + "0" * 64}):
        assert not await slack_accepts(headers)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'{"id": 5}', b'{"id": "evt_1"}', b"\xff\xfe", b'{"a":' * 5000]
)
async def test_signed_nonsense(body):
    """What is signed and makes no sense is an event that is malformed, which says so; nothing is raised."""
    delivery = Delivery({"stripe-signature": f"t={NOW},v1={signed(body=body)}"}, body, NOW)
    assert (await StripeWebhooks().verify(delivery, (SECRET,), address="")).malformed
    delivery = Delivery(slack_headers(body=body), body, NOW)
    assert (await SlackWebhooks().verify(delivery, (SECRET,), address="")).malformed


async def test_the_challenge():
    """Slack's question whether the address is ours is answered once it is signed; unsigned it is refused."""
    body = b'{"type": "url_verification", "challenge": "3eZbrw1aB", "token": "x"}'
    event = await SlackWebhooks().verify(Delivery(slack_headers(body=body), body, NOW), (SECRET,), address="")
    assert event.challenge == b"3eZbrw1aB"
    assert not await slack_accepts({}, body)
