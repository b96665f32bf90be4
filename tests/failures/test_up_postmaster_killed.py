"""Case 8: the postmaster is killed with -9 while `syncline up` runs."""

import time

import psycopg
import pytest

from deployments import postmaster
from tests.fixtures.sizes import thorough

ROUNDS = 3
BACK_SECONDS = 15


@thorough
@pytest.mark.timeout(300)
def test_postgres_is_back_with_all_that_was_committed(own_up):
    """Within 15 seconds Postgres answers again, nothing committed is lost, and Prefect takes runs again."""
    own_up.start()
    url = (own_up.home / "database.url").read_text()
    for number in range(ROUNDS):
        with psycopg.connect(url) as conn:
            conn.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
            conn.execute("INSERT INTO kept VALUES (%s)", [number])
        postmaster.running(own_up.home / "postgres").kill()

        seconds = _seconds_until_it_answers(url)

        print(f"answers again after {seconds:.1f} s")
        assert seconds < BACK_SECONDS
        with psycopg.connect(url) as conn:
            assert conn.execute("SELECT count(*) FROM kept").fetchone() == (number + 1,)
    assert own_up.start_sleepy_run()


def _seconds_until_it_answers(url):
    since = time.monotonic()
    time.sleep(0.2)  # the kill is being carried out
    while True:
        try:
            with psycopg.connect(url, connect_timeout=1) as conn:
                conn.execute("SELECT 1")
                return time.monotonic() - since
        except psycopg.OperationalError:
            assert time.monotonic() - since < 60
            time.sleep(0.1)
