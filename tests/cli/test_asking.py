"""Secrets from a pipe, and the question before something is lost."""

import io
import sys

import pytest

from cli import asking, output
from deployments.errors import ProblemError

SECRET = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
KEY = ["API key"]
BOTH = ["API key", "webhook secret"]


class Pipe(io.TextIOWrapper):
    """A stdin that holds these bytes."""

    def __init__(self, content: bytes, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture
def stdin(monkeypatch):
    def stdin(content, *, terminal=False):
        monkeypatch.setattr(sys, "stdin", Pipe(content, terminal=terminal))

    output.screen.cache_clear()
    yield stdin
    output.screen.cache_clear()


@pytest.mark.parametrize("around", ["{}", "{}\n", "{}\r\n", "  {} \n", "\ufeff{}\n"])
def test_a_key_is_read_however_it_was_saved(stdin, around):
    """A line's end, blanks around it and a byte order mark are not part of the key."""
    stdin(around.format(SECRET).encode())

    assert asking.secrets_from_stdin(KEY) == [SECRET]


def test_key_and_webhook_secret_are_two_lines(stdin):
    """With both flags the key is line 1 and the secret line 2."""
    stdin(f"{SECRET}\nwhsec_1\n".encode())

    assert asking.secrets_from_stdin(BOTH) == [SECRET, "whsec_1"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"\xff\xfe\x00", f"{SECRET} {SECRET}".encode(), "sk_test_ключ".encode(), b"k\x00y", b"k" * 5000],
)
def test_garbled_stdin_is_one_sentence_without_the_secret(stdin, content):
    """Nothing that could be a key ends in an error that says what was expected and repeats nothing of it."""
    stdin(content)

    with pytest.raises(ProblemError) as caught:
        asking.secrets_from_stdin(KEY)

    assert "API key" in str(caught.value)
    assert "sk_test" not in str(caught.value)


def test_a_missing_second_line_is_named(stdin):
    """Without a secret on line 2 the sentence says which line is missing."""
    stdin(f"{SECRET}\n".encode())

    with pytest.raises(ProblemError, match="no webhook secret on line 2"):
        asking.secrets_from_stdin(BOTH)


def test_nobody_is_asked_through_a_pipe(stdin):
    """A question that nobody can answer ends the command and names --yes."""
    stdin(b"y\n")

    with pytest.raises(ProblemError, match="--yes"):
        asking.sure("Really?", yes=False, no_input=False)


@pytest.mark.parametrize("answer", [b"y\n", b"YES\n"])
def test_a_person_may_say_yes(stdin, answer, capsys):
    """On a terminal they are asked, and y or yes lets the command go on."""
    stdin(answer, terminal=True)

    asking.sure("Really?", yes=False, no_input=False)

    assert capsys.readouterr().err == "Really? [y/N] "


@pytest.mark.parametrize("answer", [b"\n", b"n\n", b""])
def test_anything_else_is_no(stdin, answer):
    """Only a yes is a yes."""
    stdin(answer, terminal=True)

    with pytest.raises(ProblemError, match="Nothing was changed"):
        asking.sure("Really?", yes=False, no_input=False)


def test_no_input_never_asks(stdin):
    """--no-input wins over a terminal."""
    stdin(b"y\n", terminal=True)

    with pytest.raises(ProblemError):
        asking.sure("Really?", yes=False, no_input=True)
