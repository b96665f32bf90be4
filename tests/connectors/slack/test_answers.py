"""What Slack's answers come to: records as they were sent, refusals by their word, never an end that was not told."""

import json
from pathlib import Path

import pytest

from connectors.errors import (
    Broken,
    Misconfigured,
    Missing,
    RateLimited,
    Reconnect,
    Refused,
    Unavailable,
)
from tests.connectors.conftest import collect, http

SAMPLES = Path(__file__).parents[2] / "data" / "slack"
START = {"channel": "C1", "private": False}


def listed(name, records, **more):
    return http(
        b'{"ok": true, "%s": [%s]' % (name.encode(), b", ".join(records))
        + json.dumps(more).encode().replace(b"{", b", " if more else b"", 1)
    )


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("invalid_auth", Reconnect),
        ("not_authed", Reconnect),
        ("token_revoked", Reconnect),
        ("account_inactive", Reconnect),
        ("token_expired", Reconnect),
        ("missing_scope", Refused),
        ("no_permission", Refused),
        ("not_allowed_token_type", Refused),
        ("internal_error", Unavailable),
        ("fatal_error", Unavailable),
        ("ratelimited", RateLimited),
        ("invalid_arguments", Broken),
        ("a_word_of_next_year", Broken),
        ("invalid_client_id", Misconfigured),
        ("user_not_found", Missing),
        ("", Broken),
        (None, Broken),
        (5, Broken),
        (["missing_scope"], Broken),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 403])
async def test_each_word_has_its_reaction(slack, client, session, provider, word, error, status):
    """With whatever status it comes; the sentence is ours and ends like one."""
    object.__setattr__(session, "deadline", 0)  # no pause is waited for
    provider.answer = lambda _: http({"ok": False, "error": word}, status)

    with pytest.raises(error) as caught:
        await collect(slack.stream("users").pages(client, {}))

    assert "Slack" in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "next_year" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"ok"',
        b'{"ok": "true", "members": []}',
        b'{"ok": true}',
        b'{"ok": true, "members": null}',
        b'{"ok": true, "members": {}}',
        b'{"ok": true, "members": [{"id": "U1"}], "response_metadata": {"next_cursor": "abc"',
        b'{"ok": true, "members": [{"id": "U1"}',
        b"<html>ok</html>",
        b'{"ok": true, "messages": []}',
    ],
)
async def test_what_is_no_list_is_no_end(slack, client, provider, body):
    """It is asked for again, and in the end the provider is unavailable: never an empty list."""
    provider.answer = lambda _: http(body)

    with pytest.raises(Unavailable):
        await collect(slack.stream("users").pages(client, {}))

    assert len(provider.asked) > 1


@pytest.mark.parametrize(
    ("more", "ends"),
    [
        ({}, True),
        ({"response_metadata": {"next_cursor": ""}}, True),
        ({"response_metadata": {}}, True),
        ({"response_metadata": None}, True),
        ({"has_more": False}, True),
        ({"response_metadata": {"next_cursor": "abc"}}, False),
        ({"has_more": True, "response_metadata": {"next_cursor": "abc"}}, False),
        ({"has_more": True}, False),
    ],
)
async def test_where_a_channel_ends(slack, client, provider, more, ends):
    """Where there is no cursor, and nothing says that there is more."""
    provider.answer = lambda _: listed("messages", [b'{"ts": "1700000000.000001"}'], **more)

    page = await anext(slack.stream("messages").pages(client, START))

    assert (page.cursor is None) is ends


ODD = [
    b'{"ts": "1700000009.000001", "text": NaN}',
    b'{"ts": "1700000008.000001", "n": 123456789012345678901234567890.5}',
    b'{"ts": "1700000007.000001", "text": "\xff\xfe"}',
    b'{"ts": "1700000006.000001", "deep": %s1%s}' % (b"[" * 5000, b"]" * 5000),
    b'{"ts": "1700000005.000001", "text": "\\ud800"}',
    b'{"ts": 1700000004.000001}',
    b'{"text": "no ts"}',
    b"5",
    b"null",
    b'"text"',
    b"{ }",
    b'{"ts": "1700000003.000001", "channel_id": "C9"}',
]


async def test_odd_records_are_passed_on(slack, client, provider):
    """Byte for byte, with the channel behind; what is no object stays as it is and costs nobody else anything."""
    provider.answer = lambda _: listed("messages", ODD)

    (page,) = await collect(slack.stream("messages").pages(client, START))

    for sent, got in zip(ODD, page.records, strict=True):
        if sent.startswith(b"{") and sent != b"{ }":
            assert got == sent[:-1] + b', "channel_id": "C1"}' or got == sent[:-1] + b',"channel_id": "C1"}'
        else:
            assert got == (b'{"channel_id": "C1"}' if sent == b"{ }" else sent)
    assert page.learned["C1"]["newest"] == "1700000009.000001"


@pytest.mark.parametrize(("stream", "name"), [("channels", "conversations"), ("users", "users")])
async def test_slacks_own_samples(slack, client, provider, stream, name):
    """The published shape of each list and object is read."""
    member = {"channels": "channels", "users": "members"}[stream]
    sample = json.loads((SAMPLES / f"api.{name}.list.json").read_text()) | {"ok": True}
    sample["response_metadata"] = {"next_cursor": ""}
    provider.answer = lambda _: http(sample)

    (page,) = await collect(slack.stream(stream).pages(client, {}))

    assert [json.loads(record) for record in page.records] == sample[member]
    one = json.loads((SAMPLES / f"api.{name}.info.json").read_text()) | {"ok": True}
    wanted = one[member.removesuffix("s") if stream == "channels" else "user"]
    provider.answer = lambda _: http(one)
    assert json.loads(await slack.stream(stream).read(client, (wanted["id"],))) == wanted
    with pytest.raises(Unavailable):
        await slack.stream(stream).read(client, ("another",))


async def test_slacks_own_sample_of_who_we_are(slack, client, provider):
    """The workspace is the account; an answer without one is none."""
    sample = json.loads((SAMPLES / "api.auth.test.json").read_text()) | {"ok": True, "team": "Acme"}
    provider.answer = lambda _: http(sample)
    account = await slack.identify(client)
    assert (account.external_account_id, account.name) == (sample["team_id"], "Acme")

    provider.answer = lambda _: http(sample | {"team_id": ""})
    with pytest.raises(Unavailable):
        await slack.identify(client)


async def test_each_method_has_its_own_limit(slack, client, provider, throttle, monkeypatch, session):
    """One a minute for history and replies unless the app is listed or internal; a setting overrides each by name."""
    rates = {}
    for distribution, setting in (
        ("unlisted", ""),
        ("internal", ""),
        ("marketplace", '{"conversations.history": {"units": 7, "per_seconds": 2}}'),
    ):
        monkeypatch.setenv("SYNCLINE_SLACK_DISTRIBUTION", distribution)
        monkeypatch.setenv("SYNCLINE_SLACK_RATE_LIMITS", setting)
        async with slack.open(session) as opened:
            for method in ("conversations.history", "conversations.replies", "users.list"):
                (bucket,) = opened.api.buckets("GET", f"/api/{method}")
                assert (bucket.connector, bucket.name, bucket.scope) == ("slack", method, "T1 live")
                rates.setdefault(distribution, []).append((bucket.limit.units, bucket.limit.per_seconds))

    assert rates == {
        "unlisted": [(1, 60), (1, 60), (20, 60)],
        "internal": [(50, 60), (50, 60), (20, 60)],
        "marketplace": [(7, 2), (50, 60), (20, 60)],
    }
