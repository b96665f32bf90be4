"""Case 7: the whole tree of `syncline up` is killed with -9, with a run under way."""

import signal

import psutil
import psycopg
import pytest

from tests.fixtures.sizes import thorough

ROUNDS = 1
RUN_LEFT_OPEN = """
    WITH one AS (
        INSERT INTO syncline.connection (id, connector, user_id, external_account_id, mode, account, state)
        VALUES (gen_random_uuid(), 'test', 'user', gen_random_uuid()::text, 'test', 'Test', 'paused') RETURNING id
    )
    INSERT INTO syncline.sync_run (id, connection_id, epoch, mode, trigger, started_at, counts)
    SELECT gen_random_uuid(), id, 0, 'full', 'cli', now(), '{}' FROM one RETURNING id
"""


@pytest.mark.timeout(600)
def test_the_next_up_is_ready_and_closes_what_died(own_up):
    """The next `up` is ready, no process of the old one is left, and the runs that died are closed everywhere."""
    own_up.start()
    for _ in range(ROUNDS):
        run_id = own_up.start_sleepy_run()
        with psycopg.connect((own_up.home / "database.url").read_text()) as conn:
            (sync_run,) = conn.execute(RUN_LEFT_OPEN).fetchone()
        killed = own_up.kill()

        seconds = own_up.start()

        print(f"ready again after {seconds:.1f} s")
        assert [process for process in killed if process.is_running()] == []
        assert own_up.state_of(run_id) == "CRASHED"
        with psycopg.connect((own_up.home / "database.url").read_text()) as conn:
            query = "SELECT outcome FROM syncline.sync_run WHERE id = %s"
            assert conn.execute(query, [sync_run]).fetchone() == ("crashed",)


@pytest.mark.timeout(300)
@thorough
def test_the_supervisor_alone_is_killed(own_up):
    """Killed alone with -9, it takes its parts with it: Postgres, Prefect, the worker and the worker's runs."""
    own_up.start()
    own_up.start_sleepy_run()
    tree = own_up.tree()

    own_up.process.send_signal(signal.SIGKILL)
    own_up.process.wait()

    _, alive = psutil.wait_procs(tree, timeout=20)
    assert alive == []
