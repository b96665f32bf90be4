"""The secret of a connection's own endpoint: handed over when connecting, by REST and by the command line."""

import asyncio
import json
import sys

import pytest

from tests.fixtures.deliveries import signed

RUN = "import sys; from cli.main import run; sys.exit(run(sys.argv[1:]))"
EVENT = {"id": "evt_1", "object": "event", "type": "customer.updated", "created": 5, "livemode": False}
BODY = json.dumps(EVENT | {"data": {"object": {"id": "cus_1", "object": "customer"}}}).encode()


@pytest.fixture(autouse=True)
def _environment(provider, web_environment):
    web_environment.setenv("SYNCLINE_STRIPE_API_URL", provider.url)
    web_environment.delenv("SYNCLINE_STRIPE_WEBHOOK_SECRET", raising=False)


@pytest.fixture
def taken(site):
    """`await taken(id, secret)`: what a delivery that was signed with it is answered."""

    async def taken(connection_id, secret):
        path = f"/webhooks/stripe/{connection_id}"
        return (await site.stranger.post(path, content=BODY, headers=signed(BODY, secret))).status_code

    return taken


@pytest.fixture
def by_rest(site, provider):
    """`await by_rest(secret)`: the id of the connection."""

    async def connect(secret=None):
        credentials = {"api_key": provider.key} | ({"webhook_secret": secret} if secret else {})
        asked = {"connector": "stripe", "user_id": "42", "credentials": credentials}
        answer = await site.api.post("/connections", json=asked)
        assert answer.status_code in (200, 201), answer.text
        assert secret is None or secret not in answer.text
        return answer.json()["id"]

    return connect


@pytest.fixture
def by_command(provider):
    """`await by_command(secret)`: the same by the command line; with *reconnect* in place."""

    async def connect(secret=None, reconnect=None):
        flags = [
            "--api-key-stdin",
            *(["--webhook-secret-stdin"] if secret else []),
            *(["--reconnect", reconnect] if reconnect else ["--user", "42"]),
        ]
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-c", RUN, "connect", "stripe", *flags],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        lines = [provider.key, *([secret] if secret else []), ""]
        out, err = await process.communicate("\n".join(lines).encode())
        assert process.returncode == 0, err.decode()
        assert secret is None or secret not in (out + err).decode()
        return out.decode().strip()

    return connect


@pytest.fixture(params=["rest", "command"])
def connect(request, by_rest, by_command):
    """Either way of connecting."""
    return by_rest if request.param == "rest" else by_command


async def test_a_secret_is_handed_over_kept_and_replaced(connect, taken):
    """Deliveries are vouched for by it at once; a new key leaves it as it is, a new secret takes its place."""
    connection_id = await connect("whsec_first")
    assert (await taken(connection_id, "whsec_first"), await taken(connection_id, "whsec_other")) == (200, 400)

    assert await connect() == connection_id
    assert await taken(connection_id, "whsec_first") == 200

    assert await connect("whsec_second") == connection_id
    assert (await taken(connection_id, "whsec_second"), await taken(connection_id, "whsec_first")) == (200, 400)


async def test_two_secrets_while_one_is_replaced(connect, taken):
    """Both of a list vouch, and nothing else does."""
    connection_id = await connect("whsec_old,whsec_new")
    secrets = ("whsec_old", "whsec_new", "whsec_old,whsec_new", "")
    assert [await taken(connection_id, secret) for secret in secrets] == [200, 200, 400, 400]


async def test_reconnected_in_place(by_command, taken):
    """`--reconnect` takes a new secret too."""
    connection_id = await by_command("whsec_first")
    assert await by_command("whsec_second", reconnect=connection_id[:8]) == connection_id
    assert (await taken(connection_id, "whsec_second"), await taken(connection_id, "whsec_first")) == (200, 400)
