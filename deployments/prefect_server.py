"""The Prefect server that `syncline up` starts: its command, and what becomes of it."""

import asyncio
import errno
import socket
import sys
from pathlib import Path

import httpx

from deployments.errors import ProblemError

HEALTHY_SECONDS = 180  # half a minute on a slow machine; more on one that is busy too
FOREIGN_SECONDS = 15  # a server that is not ours is expected to be there already
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def command(host: str, port: int) -> list[str]:
    """No secret is in it: every process of this machine can read it."""
    app = ["--factory", "prefect.server.api.server:create_app"]
    quiet = ["--no-access-log", "--no-server-header", "--log-level", "warning"]
    return [sys.executable, "-P", "-m", "uvicorn", *app, "--host", host, "--port", str(port), *quiet]


def origin(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def refuse_busy_port(host: str, port: int, flag: str) -> None:
    """ProblemError, naming the *flag* that chooses another, unless the port can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            action = f"Stop what listens there, or choose another port with {flag}."
            raise ProblemError("port_busy", f"Port {port} is in use.", action) from None
        action = f"Choose an address of this machine with --host and a port above 1023 with {flag}."
        raise ProblemError("port_refused", f"Cannot listen on {host}:{port}: {error.strerror}.", action) from None


async def wait_until_healthy(api_url: str, auth: str | None, *, ours: bool, log: Path) -> None:
    """The API answers, and to us."""
    async with httpx.AsyncClient(auth=basic(auth), timeout=5, trust_env=not ours) as client:
        deadline = asyncio.get_running_loop().time() + (HEALTHY_SECONDS if ours else FOREIGN_SECONDS)
        while asyncio.get_running_loop().time() < deadline:
            if await _answers(client, api_url):
                return
            await asyncio.sleep(0.05)
    if ours:
        raise ProblemError("prefect_failed", "The Prefect server did not start.", f"Read {log}.")
    action = "Start it, or unset PREFECT_API_URL to let `syncline up` start one."
    raise ProblemError("prefect_unreachable", f"No Prefect API answers at {api_url}.", action)


async def _answers(client: httpx.AsyncClient, api_url: str) -> bool:
    try:
        answer = await client.get(f"{api_url}/admin/version")
    except httpx.HTTPError:
        return False
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        action = "Correct PREFECT_API_AUTH_STRING or PREFECT_API_KEY."
        raise ProblemError("prefect_refused", f"The Prefect API at {api_url} refuses us.", action)
    return answer.is_success


def basic(auth: str | None) -> httpx.BasicAuth | None:
    """How Prefect's client sends the auth string."""
    if not auth:
        return None
    user, _, password = auth.partition(":")
    return httpx.BasicAuth(user, password)
