"""What a person or a pipe is asked for: secrets on stdin, and a yes or no before something is lost."""

import sys

from cli import output
from deployments.words import visible

LONGEST_SECRET = 1000


def secrets_from_stdin(names: list[str]) -> list[str]:
    """One secret a line, in the order of *names*; a sentence without the secret when a line is missing or garbled."""
    lines = []
    for position, name in enumerate(names):
        try:
            line = sys.stdin.buffer.readline(LONGEST_SECRET + 2).decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise _wrong(f"stdin is not text, so it holds no {name}.", names) from None
        if not line:
            raise _wrong(f"stdin held no {name}{_on_line(position, names)}.", names)
        _check(line, name, names)
        lines.append(line)
    return lines


def secret_from_person(name: str) -> str:
    """The secret as typed at a hidden prompt."""
    from getpass import getpass

    typed = getpass(f"{name[0].upper()}{name[1:]} (not shown): ").strip()
    if not typed:
        raise _wrong(f"No {name} was typed.", [name])
    _check(typed, name, [name])
    return typed


def sure(question: str, *, yes: bool, no_input: bool) -> None:
    """Return when the answer is yes; leave the command when it is no or nobody can be asked."""
    from deployments.errors import ProblemError

    if yes:
        return
    if no_input or not output.may_ask():
        raise ProblemError("usage", f"{question} Nobody can be asked here.", "Add --yes to answer yes.")
    output.screen().print(f"{visible(question)} [y/N] ", markup=False, highlight=False, end="")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise ProblemError("not_confirmed", "Nothing was changed.", "Answer y, or add --yes.")


def _check(secret: str, name: str, names: list[str]) -> None:
    if len(secret) > LONGEST_SECRET or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise _wrong(f"What stdin held does not look like a {name}: it has characters that no {name} has.", names)


def _on_line(position: int, names: list[str]) -> str:
    return f" on line {position + 1}" if len(names) > 1 else ""


def _wrong(detail: str, names: list[str]) -> Exception:
    from deployments.errors import ProblemError

    lines = " and ".join(f"the {name} on line {number}" for number, name in enumerate(names, start=1))
    return ProblemError("bad_stdin", detail, f"Give {lines}.")
