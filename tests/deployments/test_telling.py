"""Whatever becomes of what `syncline up` prints, it goes on."""

import subprocess
import sys

TELLS = "from deployments.telling import tell\nfor n in range(3000): tell(f'{n} ' + 'x' * 100)\n"
SAYS = "import sys; print('went on', file=sys.stderr)"


def run(then, **streams):
    command = [sys.executable, "-c", TELLS + SAYS]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **streams) as process:
        then(process)
        _, said = process.communicate(timeout=60)
    return process.returncode, said


def test_everything_is_told_to_who_reads(tmp_path):
    """A file, as a pipe that is read, gets every line, whole."""
    with (tmp_path / "out").open("w") as out:
        assert run(lambda _: None, stdout=out) == (0, "went on\n")

    assert [line.split()[0] for line in (tmp_path / "out").read_text().splitlines()] == [str(n) for n in range(3000)]


def test_nobody_reads():
    """A pipe that is full keeps nobody waiting."""
    assert run(lambda process: process.wait(60), stdout=subprocess.PIPE) == (0, "went on\n")


def test_the_reader_is_gone():
    """As in `syncline up | head`."""
    assert run(lambda process: process.stdout.close(), stdout=subprocess.PIPE) == (0, "went on\n")


def test_there_is_no_output():
    """As in `syncline up >&-`."""
    closed = ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, TELLS + SAYS]
    done = subprocess.run(closed, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "went on\n")


def test_the_disk_is_full():
    """As in `syncline up > log`."""
    with open("/dev/full", "w") as full:  # noqa: PTH123 -- a device
        assert run(lambda _: None, stdout=full) == (0, "went on\n")
