"""`syncline connect` for connectors whose users sign in at the provider."""

import asyncio
import json
import os
import signal
import sys

import pytest

from tests.web.walk import walk

PRODUCT = [sys.executable, "-c", "from cli.main import main; main()"]


@pytest.fixture
def command(site, consent, monkeypatch):
    """`await command("connect", …)`: the running command."""
    monkeypatch.setenv("SYNCLINE_PUBLIC_URL", site.url)

    async def command(*arguments):
        return await asyncio.create_subprocess_exec(
            *PRODUCT,
            *arguments,
            env=os.environ | {"NO_COLOR": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    return command


async def test_prints_the_link_and_waits(site, command):
    """The link is on stderr; once it was used the connection's id alone is on stdout."""
    process = await command("connect", "slack", "--user", "7")

    await walk(site.browser(), await _link(process))

    out, err = await process.communicate()
    (connection,) = (await site.api.get("/connections")).json()["items"]
    assert (process.returncode, out.decode()) == (0, f"{connection['id']}\n")
    assert connection["user_id"] == "7"
    assert "Connected: Slack Acme T0001" in err.decode()


async def test_reconnects_in_place(site, command):
    """--reconnect with the beginning of an id makes a link for that connection; --json prints the connection."""
    await walk(site.browser(), await site.link("slack"))
    (before,) = (await site.api.get("/connections")).json()["items"]
    await site.api.delete(f"/connections/{before['id']}")

    process = await command("connect", "slack", "--reconnect", before["id"][:8], "--json")
    await walk(site.browser(), await _link(process))

    out, _ = await process.communicate()
    assert json.loads(out)["id"] == before["id"]
    assert json.loads(out)["state"] == "active"


async def test_denied_is_a_failure(site, command, consent):
    """When the user denies, the command says so and ends with 1; stdout is empty."""
    consent.error = "access_denied"
    process = await command("connect", "slack", "--user", "7")

    await walk(site.browser(), await _link(process))

    out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert "did not allow access" in err.decode()


async def test_ctrl_c_leaves_the_link_good(site, command):
    """Ctrl-C ends the command with 130, and the link still connects."""
    process = await command("connect", "slack", "--user", "7")
    link = await _link(process)

    process.send_signal(signal.SIGINT)
    await process.communicate()
    page = await walk(site.browser(), link)

    assert process.returncode == 130
    assert "is connected" in page.text


async def test_needs_the_web_application(command, monkeypatch):
    """Where no web application answers the command ends with 1 and names `syncline up`."""
    monkeypatch.setenv("SYNCLINE_PUBLIC_URL", "http://127.0.0.1:9")

    process = await command("connect", "slack", "--user", "7")
    _, err = await process.communicate()

    assert process.returncode == 1
    assert "syncline up" in err.decode()


@pytest.mark.parametrize("wrong", [["--api-key-stdin"], []])
async def test_wrong_use(command, wrong):
    """A key for a connector that takes none, or nobody to connect for, is wrong use."""
    process = await command("connect", "slack", *(["--user", "7"] if wrong else []), *wrong)
    await process.communicate()

    assert process.returncode == 2


async def _link(process):
    """The address that the command prints."""
    async with asyncio.timeout(60):
        while line := (await process.stderr.readline()).decode():
            if "http" in line:
                return line.strip()
    raise AssertionError("no link was printed")
