"""The single way in which a command fails.

    error: what happened.
           What to do.   (docs/troubleshooting.md#code)

With --json the same as one object on stdout. A traceback only with SYNCLINE_DEBUG=1.
"""

import errno
import os
import traceback
from dataclasses import asdict, dataclass

from cli import output
from deployments.words import visible

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130
WRONG_USE_CODES = frozenset({"usage", "unknown_id", "ambiguous_id", "unknown_connector", "unknown_stream"})


@dataclass(frozen=True)
class Failure:
    """What a person or a program is told."""

    code: str
    detail: str
    action: str

    @property
    def exit_code(self) -> int:
        return WRONG_USE if self.code in WRONG_USE_CODES else FAILED


def report(error: BaseException, *, as_json: bool) -> int:
    """Tell what happened and what to do; the exit code."""
    if isinstance(error, BrokenPipeError):
        return FAILED  # whoever read our output has left: nobody is there to be told
    if type(error).__name__ == "NoArgsIsHelpError":
        _say_lines(str(error))
        return WRONG_USE
    failure = explain(error)
    if os.environ.get("SYNCLINE_DEBUG") == "1":
        _say_lines("".join(traceback.format_exception(error)))
    if as_json:
        output.as_json({"error": asdict(failure)})
    else:
        _print(failure)
    return failure.exit_code


def explain(error: BaseException) -> Failure:
    """The sentences for *error*; of an error that nobody foresaw only its name, its text may hold a secret."""
    from typer import TyperException

    if isinstance(error, TyperException):
        return Failure("usage", _sentence(error.format_message()), f"See: {_help_command(error)}")
    return _known(error) or _from_the_system(error) or _unforeseen(error)


def _known(error: BaseException) -> Failure | None:
    from connectors.errors import ConnectorError
    from deployments.errors import ProblemError
    from storage.errors import StorageError

    if isinstance(error, ProblemError):
        return Failure(error.code, error.detail, error.action)
    if isinstance(error, StorageError):
        return Failure(error.code, error.sentence, error.action)
    if isinstance(error, ConnectorError):
        return Failure(error.code, str(error), "")
    return None


def _from_the_system(error: BaseException) -> Failure | None:
    if not isinstance(error, OSError):
        return None
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure("disk_full", f"The disk is full{where}.", "Free some space, then run the command again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        action = "Give this user the right to write there, or set SYNCLINE_HOME to another folder."
        return Failure("no_permission", f"This user may not write there{where}.", action)
    return None


def _unforeseen(error: BaseException) -> Failure:
    action = "Run the command again with SYNCLINE_DEBUG=1 to see where, and report it."
    return Failure("unexpected", f"Something unforeseen went wrong: {type(error).__name__}.", action)


def _print(failure: Failure) -> None:
    from rich.text import Text

    output.screen().print(Text("error: ", style="bold red"), Text(visible(failure.detail)), sep="", soft_wrap=True)
    where = "" if failure.code == "usage" else f"(docs/troubleshooting.md#{failure.code.replace('_', '-')})"
    rest = "   ".join(part for part in (failure.action, where) if part)
    output.say(f"       {rest}")


def _say_lines(text: str) -> None:
    for line in text.splitlines():
        output.say(line)


def _help_command(error: object) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'syncline'} --help"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
