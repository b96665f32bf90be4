"""The status page before very full tables: its first byte, a look for news, the status object, and two replicas."""

import contextlib
import os
import re
import statistics
import subprocess
import sys
import time

import httpx
import psycopg

from benchmarks.measure import ROOT
from benchmarks.product import free_port

CONNECTIONS, RUNS, EVENTS = 1_000, 100_000, 1_000_000
TIMES = 30
FILL = (
    """
    INSERT INTO syncline.connection (connector, user_id, external_account_id, mode, account, state)
    SELECT (ARRAY['stripe', 'slack', 'gmail', 'google_calendar'])[1 + n %% 4], 'user-' || n, 'account-' || n, 'live',
           'Account ' || n, CASE WHEN n %% 200 = 0 THEN 'needs_reconnect' ELSE 'active' END
      FROM generate_series(1, %(connections)s) AS n
    """,
    """
    INSERT INTO syncline.sync_state (connection_id, stream, rows, last_sync)
    SELECT id, stream, 1000, now() FROM syncline.connection, unnest('{a,b,c,d,e}'::text[]) AS stream
    """,
    """
    INSERT INTO syncline.sync_run (connection_id, mode, trigger, epoch, outcome, started_at, ended_at, counts)
    SELECT id, 'incremental', 'schedule', n, CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'done' END,
           now() - n * interval '15 minutes', now() - n * interval '15 minutes' + interval '2 seconds',
           '{"a": {"read": 10, "written": 3, "deleted": 1, "unchanged": 7, "rejected": 0, "altered": 0}}'
      FROM syncline.connection, generate_series(1, %(runs)s / %(connections)s) AS n
    """,
    """
    INSERT INTO syncline.webhook_event (connector, connection_id, provider_event_id, event_type, status, body,
                                        received_at, applied_at)
    SELECT connector, id, 'evt_' || n, 'changed', CASE WHEN n %% 500 = 0 THEN 'failed' ELSE 'applied' END, '{}',
           now() - n * interval '10 minutes', now() - n * interval '10 minutes' + interval '0.2 seconds'
      FROM syncline.connection, generate_series(1, %(events)s / %(connections)s) AS n
    """,
    "VACUUM ANALYZE",
)


def measure(product):
    """Medians of thirty, by one browser after another."""
    with product.up() as web, psycopg.connect(product.url, autocommit=True) as conn:
        for query in FILL:
            conn.execute(query, {"connections": CONNECTIONS, "runs": RUNS, "events": EVENTS} if "%(" in query else None)
        with _replica(product) as other:
            browser = httpx.Client(timeout=60)
            browser.post(f"{web}/login", data={"token": product.token})
            text = browser.get(f"{web}/").text
            since = {"since": re.search(r'data-version="(\w+)"', text)[1]}
            found = {
                "first_byte": _median(lambda: _first_byte(browser, f"{web}/")),
                "poll": _median(lambda: _poll(browser, web, since)),
                "one": _median(lambda: _first_byte(browser, web + re.search(r"/connections/[0-9a-f-]{36}", text)[0])),
                "status": _median(lambda: _status(web, product.token)),
                "bytes": len(text),
            }
            found["replicas"] = _same(browser, web, other)
    return {"page": found}


def _first_byte(browser, url):
    began = time.perf_counter()
    with browser.stream("GET", url) as answer:
        if answer.status_code != 200:
            raise SystemExit(f"{url} answered {answer.status_code}")
        next(answer.iter_raw())
        return time.perf_counter() - began


def _poll(browser, web, since):
    began = time.perf_counter()
    answer = browser.get(f"{web}/", params=since, headers={"HX-Request": "true"})
    took = time.perf_counter() - began
    if answer.status_code == 200:  # a minute has passed
        since["since"] = re.search(r'data-version="(\w+)"', answer.text)[1]
        return _poll(browser, web, since)
    return took


def _status(web, token):
    began = time.perf_counter()
    answer = httpx.get(f"{web}/api/v1/status", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    if len(answer.json()["connections"]) != CONNECTIONS:
        raise SystemExit("the status is not whole")
    return time.perf_counter() - began


def _same(browser, web, other):
    """Whether a session of one replica holds at the other, ends there for both, and both show the same."""
    both = [browser.get(f"{base}/", headers={"Host": web.removeprefix("http://")}).text for base in (web, other)]
    same = [re.search(r'data-version="(\w+)"', text)[1] for text in both]
    browser.post(f"{other}/logout")
    return same[0] == same[1] and browser.get(f"{web}/").status_code == 303


@contextlib.contextmanager
def _replica(product):
    """A second web application on the same database; where it is."""
    port = free_port()
    command = [sys.executable, "-m", "web.server", "--alone", "--port", str(port)]
    process = subprocess.Popen(command, env=os.environ | product.environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/readyz").is_success:
                    break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def _median(measured):
    measured()
    return statistics.median(measured() for _ in range(TIMES))
