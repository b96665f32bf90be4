"""Stripe's deliveries: those are good that its own library takes, but for what it wrongly takes; what they mean."""

import json
import random
import re
import time

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.registry import get
from connectors.stripe.settings import load
from connectors.stripe.webhooks import StripeWebhooks
from tests.connectors.deliveries import SECRET, edited, event_of, meaning_of, signature

STRIPE = StripeWebhooks()
NOW = int(time.time())


def event(**fields):
    made = {"id": "evt_1", "object": "event", "type": "customer.updated", "created": 5, "livemode": False}
    return json.dumps(made | {"data": {"object": {"id": "cus_1", "object": "customer"}}} | fields).encode()


BODY = event(name="Zürich ✓")


def signed(at=NOW, body=BODY, secret=SECRET):
    return signature(b"%d.%b" % (at, body), secret)


def verified(header, body=BODY, **more):
    headers = {} if header is None else {"stripe-signature": header}
    return event_of(STRIPE, headers, body, **{"now": NOW} | more)


def of(body, **more):
    """The event of a body that is signed."""
    return verified(f"t={NOW},v1={signed(body=body)}", body, **more)


def library_accepts(header, body=BODY):
    """None where it throws something else, which it does for signatures that are not ASCII."""
    try:
        stripe.WebhookSignature.verify_header(body, header, SECRET, tolerance=300)
    except stripe.SignatureVerificationError:
        return False
    except TypeError:
        return None
    return True


def has_one_plain_time(header):
    """What the library does not ask: one time, in digits as people write them, that is not in the future."""
    times = [f"{part}=".split("=", 2)[1] for part in header.split(",") if part.split("=")[0] == "t"]
    return len(times) == 1 and bool(re.fullmatch(r"[0-9]{1,12}", times[0])) and int(times[0]) <= NOW + 300


good = st.sampled_from([-250, -3, 0, 250]).map(lambda shift: NOW + shift)
times = st.one_of(good, st.sampled_from([NOW - 400, NOW + 400, 0, 10**11, -NOW, 10**30]))
parts = st.one_of(
    st.sampled_from(["", "t", "v1=", "v0=00", "x=y", "t=", " v1=0", "v1==", "t=1_0", "t=\uff11", "v1=é", "=v1"]),
    times.map("t={}".format),
    times.map(lambda at: f"t=+{at}"),
    good.map(lambda at: f"v1={signed(at)}"),
    good.map(lambda at: f"v1={signed(at)}=="),
    good.map(lambda at: f"v1={signed(at).upper()}"),
    good.map(lambda at: f"v0={signed(at)}"),
    good.map(lambda at: f"v1={signed(at, secret='whsec_other')}"),
)
honest = good.flatmap(lambda at: st.permutations([f"t={at}", f"v1={signed(at)}"]))
headers = st.tuples(honest | st.just([]), st.lists(parts, max_size=4)).map(lambda both: ",".join(both[0] + both[1]))


def test_as_stripes_own_library(capsys, monkeypatch):
    """What the library accepts with one plain time that is not in the future we accept, and nothing else."""
    monkeypatch.setattr("time.time", lambda: float(NOW))  # the library looks at the clock, and it may be late by now
    told = {"tried": 0, "accepted": 0, "accepted by the library alone": 0, "thrown at by the library": 0}

    @settings(max_examples=600, deadline=None, derandomize=True, database=None)
    @given(headers)
    def compare(header):
        library, ours = library_accepts(header), verified(header) is not None
        told["tried"] += 1
        if library is None:
            told["thrown at by the library"] += 1
            return
        assert ours is (library and has_one_plain_time(header)), header
        told["accepted"] += ours
        told["accepted by the library alone"] += library and not ours

    compare()
    with capsys.disabled():
        print(f"\nheaders of Stripe: {told}")
    assert told["accepted"] > 50
    assert told["accepted by the library alone"] > 5


def test_whatever_is_changed(capsys):
    """A hundred changes each of time, signature, body and secret: none is accepted, nothing but Forged is raised."""
    chance, accepted, tried = random.Random(4), 0, 0
    right, at = signed(), str(NOW)
    text = BODY.decode()
    for _ in range(100):
        others = [
            (f"t={edited(at, chance)},v1={right}", BODY),
            (f"t={at},v1={edited(right, chance)}", BODY),
            (f"t={at},v1={right}", edited(text, chance).encode()),
            (f"t={at},v1={signed(secret=edited(SECRET, chance))}", BODY),
        ]
        for header, body in others:
            tried += 1
            accepted += verified(header, body) is not None
    for place in range(256):
        flipped = bytearray(bytes.fromhex(right))
        flipped[place // 8] ^= 1 << place % 8
        tried += 1
        accepted += verified(f"t={at},v1={flipped.hex()}") is not None
    for scheme in ("v0", "V1", "v1 ", " v1", "v2", "", "v1v1"):
        tried += 1
        accepted += verified(f"t={at},{scheme}={right}") is not None
    with capsys.disabled():
        print(f"\n{tried} forged deliveries of Stripe, {accepted} accepted")
    assert tried >= 300
    assert accepted == 0
    assert verified(f"t={at},v1={right}")


@pytest.mark.parametrize(("seconds", "taken"), [(-299, True), (-300, True), (-301, False), (299, True), (301, False)])
def test_time(seconds, taken):
    """Five minutes either way, to the second."""
    assert (verified(f"t={NOW + seconds},v1={signed(NOW + seconds)}") is not None) is taken


def test_secrets_while_they_are_rotated(monkeypatch):
    """Any of several secrets is good for any of several signatures, a connection's own and those in the settings."""
    both = f"t={NOW},v1={signed(secret='whsec_gone')},v1={signed()}"
    assert verified(both, secrets=("whsec_new", SECRET))
    assert not verified(both, secrets=("whsec_new",))
    monkeypatch.setenv("SYNCLINE_STRIPE_WEBHOOK_SECRET", f"whsec_new , {SECRET},")
    assert verified(both, secrets=None)
    assert SECRET not in repr(load())
    assert STRIPE.own_secret in get("stripe").credential_fields


@pytest.mark.parametrize("secret", ["", " ", "\t"])
def test_an_empty_secret(secret):
    """It signs nothing: anybody could sign with it."""
    header = f"t={NOW},v1={signed(secret=secret)}"
    assert not verified(header, secrets=(secret,))
    assert not verified(header, secrets=())


def test_whose_it_is():
    """The account that the event names, with the mode of its data; an event that names none keeps its mode."""
    named = of(event(account="acct_1", livemode=True))
    (account,) = named.accounts
    assert (account.external_account_id, account.mode) == ("acct_1", "live")
    own = of(event())
    assert (own.id, own.type, list(own.accounts), own.said) == ("evt_1", "customer.updated", [], {"mode": "test"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'"evt_1"',
        b"[{}]",
        b"{",
        b"\xff\x00",
        b"[" * 100_000,
        b'{"id":' * 50_000,
        b'{"id": "evt_1"}',
        event(id=None),
        event(id=""),
        event(id=["evt_1"]),
        event(id="evt_\x00"),
        event(id="evt_\ud800"),
        event(created="soon"),
        event(account=["acct_1"]),
        event(account="acct_\x00"),
        BODY + b"}",
    ],
)
def test_signed_nonsense(body):
    """What is signed and makes no sense is an event that says so; asked for its meaning it says the same."""
    found = of(body)
    assert found.malformed
    assert not found.accounts
    assert meaning_of(STRIPE, body).touched == [("customers", ("cus_1",))] or meaning_of(STRIPE, body).malformed


@pytest.mark.parametrize(
    "odd",
    [b"NaN", b"1e999", b"9" * 5000, b'"\\ud800"', b'"\xff"', b'"\x01"', b"[" * 50_000 + b"]" * 50_000, b"-0", b"01"],
)
def test_odd_content(odd):
    """An event is a hint: whatever else stands in it, it is known whose it is and what is to be read."""
    plain = event(account="acct_1")
    for body in (plain[:-1] + b', "more": ' + odd + b"}", plain.replace(b'"cus_1"', b'"cus_1", "name": ' + odd)):
        found = of(body)
        assert (found.id, found.malformed, len(found.accounts)) == ("evt_1", None, 1), body[:100]
        assert meaning_of(STRIPE, body).touched == [("customers", ("cus_1",))]


@pytest.mark.parametrize(("value", "kind"), [(None, None), (5, None), ("a\x1b[31m", None), ("x.y", "x.y")])
def test_odd_types(value, kind):
    """A type that is no plain name is none; the event is taken."""
    found = of(event(type=value))
    assert (found.type, found.malformed) == (kind, None)


def test_what_events_touch():
    """Made, changed, deleted: a record of any stream is named; what has no id or is of no stream means nothing."""
    streams = get("stripe").streams
    assert len(streams) == 8
    for stream in streams:
        for word in ("created", "updated", "deleted"):
            named = {"id": "x_1", "object": stream.kind, "deleted": word == "deleted"}
            meaning = meaning_of(STRIPE, event(type=f"{stream.kind}.{word}", data={"object": named}))
            assert (stream.name, ("x_1",)) in meaning.touched
            assert not meaning.told
            assert not meaning.malformed
    for named in ({"object": "invoice"}, {"id": "bal_1", "object": "balance"}, {"id": "cus_1"}, {"object": 5, "id": 5}):
        meaning = meaning_of(STRIPE, event(type="invoice.upcoming", data={"object": named}))
        assert (list(meaning.touched), meaning.malformed, meaning.access) == ([], None, False)
    for data in (None, {}, {"object": []}):
        assert meaning_of(STRIPE, event(data=data)).touched == []


def test_any_shape():
    """Whatever JSON an event is replaced by in parts, it is an event or malformed, and nothing is raised."""
    chance = random.Random(5)
    odd = ["null", "true", "0", "-1", "1.5", '""', '"\\ud800"', '"\\u0000"', "[]", "{}", "[[]]", '{"id": {}}', "1" * 40]
    for _ in range(500):
        body = {"id": "evt_1", "type": "a.b", "created": 5, "livemode": True, "account": "acct_1"}
        body["data"] = {"object": {"id": "ch_1", "object": "charge", "customer": "cus_1"}}
        for _ in range(chance.randint(1, 3)):
            inside = chance.choice([body, body.get("data"), (body.get("data") or {}).get("object")])
            if isinstance(inside, dict) and inside:
                inside[chance.choice(list(inside))] = json.loads(chance.choice(odd))
            body = body if isinstance(body.get("data"), dict) else body | {"data": {}}
        text = json.dumps(body).encode()
        assert of(text) is not None
        assert meaning_of(STRIPE, text) is not None
