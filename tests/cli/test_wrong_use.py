"""Wrong use: one sentence that says what to do, exit code 2, and with --json one object on stdout."""

import json

import pytest


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["statsu"], "Did you mean 'status'?"),
        (["status", "--bogus"], "--bogus"),
        (["connect"], "Missing argument"),
        (["sync"], "Missing argument"),
        (["connect", "stripo", "--user", "42", "--api-key-stdin"], "Did you mean stripe?"),
        (["connect", "stripe", "--api-key-stdin"], "Whose account is it?"),
        (["connect", "stripe", "--user", "42", "--no-input"], "--api-key-stdin"),
        (["connect", "stripe", "--user", "42", "--webhook-secret-stdin"], "--api-key-stdin"),
        (["up", "--port", "99999"], "65535"),
        (["up", "--port", "4200"], "the same"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_told_in_a_sentence(run, arguments, sentence):
    """The person reads what was wrong and what to do, nothing is on stdout, the exit code is 2."""
    ran = run(*arguments)

    assert ran.code == 2
    assert ran.out == ""
    assert sentence in ran.err
    assert "Traceback" not in ran.err


def test_wrong_use_as_json(run):
    """With --json the same is one object on stdout and nothing is on stderr."""
    ran = run("connect", "stripo", "--user", "42", "--api-key-stdin", "--json")

    error = json.loads(ran.out)["error"]
    assert ran.code == 2
    assert ran.err == ""
    assert error["code"] == "unknown_connector"
    assert set(error) == {"code", "detail", "action"}


def test_no_command_is_answered_with_the_help(run):
    """Who types only the name reads the help, on stderr and with exit code 2."""
    ran = run()

    assert ran.code == 2
    assert ran.err.startswith("Usage: syncline")
