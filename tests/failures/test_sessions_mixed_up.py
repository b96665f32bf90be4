"""Case 58: one user's session used to connect an account to another user."""

import random
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.web.walk import consent_at, press

ROUNDS = 20
TAMPERED = [
    {"user_id": "victim"},
    {"connection_id": "00000000-0000-0000-0000-000000000000"},
    {"connector": "stripe"},
    {"return_url": "https://evil.test"},
    {"session": "of-somebody-else"},
]


@pytest.mark.timeout(600)
async def test_user_and_connector_come_from_the_session_alone(site, consent):
    """Names in query, form and cookies, and states and codes that are swapped, never connect an account to anybody but
    the user of the session that its own browser began.
    """
    seed = random.SystemRandom().randrange(10**9)
    print(f"SEED={seed}")
    dice = random.Random(seed)
    for round_ in range(ROUNDS):
        consent.team = f"T{round_}"
        attacker, victim = site.browser(), site.browser()
        mine, theirs = await site.link("slack", f"attacker-{round_}"), await site.link("slack", f"victim-{round_}")
        said = [
            _said(await consent_at(who, await press(who, link))) for who, link in ((attacker, mine), (victim, theirs))
        ]
        forged = dice.choice(
            [said[0], said[0] | {"code": said[1]["code"]}, said[1] | {"code": said[0]["code"]}, said[1]]
        )
        forged |= dice.choice(TAMPERED)
        attacker.cookies.update(dice.choice([{}, {"session": "x"}, {"user_id": "victim"}]))

        await attacker.get(f"/connect/slack/callback?{urlencode(forged)}")

    connected = (await site.api.get("/connections", params={"limit": 200})).json()["items"]
    assert [one["user_id"] for one in connected if not one["user_id"].startswith("attacker")] == []


async def test_a_form_cannot_name_another_session(site, consent):
    """A form that names another session than the address is not known, and begins nothing."""
    mine, theirs = await site.link("slack", "a"), await site.link("slack", "b")
    other = parse_qs(urlsplit(theirs).query)["session"][0]

    answer = await site.browser().post(mine, data={"session": other})

    assert answer.status_code == 404


def _said(back):
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
