"""Prefect's settings as Syncline wants them (docs/decisions.md says why); what the environment sets stays.

Prefect's own folder lies in SYNCLINE_HOME, so that no profile of the person's reaches in.
"""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import certifi

from deployments.home import kept_secret, private_folder, write_private

DAY = 86_400
LOOPBACK = "127.0.0.1,localhost,::1"  # never asked of a proxy

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
}

CLIENT = QUIET | {
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",  # never a second server by accident
    "PREFECT_EVENTS_WORKER_MAX_QUEUE_SIZE": "10000",  # without it the queue of events has no bound
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # what tells a dead run from a long one
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "connectors,storage,tasks,flows",
}

SERVER = QUIET | {
    "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(30 * DAY),
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",  # this one takes no seconds
    # Leases in memory would leak their slots when the server restarts.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT__SERVER_FINAL": "1",  # the only server of its process: spares memory
}


def auth_string(home: Path) -> str:
    """user:password of our own Prefect server: as set, else generated once."""
    return os.environ.get("PREFECT_API_AUTH_STRING") or kept_secret(
        home / "prefect.auth", lambda: f"syncline:{secrets.token_urlsafe(32)}"
    )


def client_environment(home: Path, api_url: str | None, auth: str | None) -> dict[str, str]:
    """The environment of whatever speaks to the Prefect API."""
    ours = {"SYNCLINE_HOME": str(home)}
    if api_url:
        ours["PREFECT_API_URL"] = api_url
    if auth:
        ours["PREFECT_API_AUTH_STRING"] = auth
    proxied = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
    ours["NO_PROXY"] = ours["no_proxy"] = ",".join(filter(None, [proxied, LOOPBACK]))
    defaults = CLIENT | {"PREFECT_HOME": str(private_folder(home / "prefect"))}
    here = urlsplit(api_url or "")
    if here.scheme == "http" and here.hostname in LOOPBACK.split(","):  # elsewhere it may lead on to https
        defaults["PREFECT_API_SSL_CERT_FILE"] = str(one_certificate(home / "prefect"))
    return defaults | os.environ | ours


def one_certificate(folder: Path) -> Path:
    """A file for where there is no TLS. Each of Prefect's clients reads all certificates that it is given, whatever its
    address: 140 public ones take 30 ms, and a flow run makes seven clients.
    """
    path, end = folder / "one-certificate.pem", "-----END CERTIFICATE-----\n"
    if not path.exists():
        write_private(path, Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end)
    return path


def server_environment(home: Path, origin: str, database_url: str, auth: str) -> dict[str, str]:
    """The environment of our own Prefect server, which has no use for Syncline's secrets."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SYNCLINE_")}
    defaults = SERVER | {
        "PREFECT_HOME": str(private_folder(home / "prefect")),
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": origin,
    }
    ours = {
        "PREFECT_API_URL": f"{origin}/api",
        "PREFECT_SERVER_UI_API_URL": f"{origin}/api",
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
    }
    return defaults | inherited | ours
