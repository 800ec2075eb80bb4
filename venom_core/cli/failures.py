"""The report of a command that failed: sentence, fix, code on stderr; never a stack trace.

With ``--json`` the same record goes to stdout as ``{"error": {...}}``, so that a program reading
the output always finds exactly one JSON document.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from venom_core.cli.exit_codes import ExitCode, exit_code_of
from venom_core.cli.terminal import print_json
from venom_core.cli.wording import words
from venom_core.sdk.errors import VenomError
from venom_core.sdk.printable import one_line

_NO_ROOM = (errno.ENOSPC, errno.EIO, errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC)


def report(error: BaseException, arguments: Sequence[str]) -> ExitCode:
    """Say what happened and give the exit code for it."""
    if isinstance(error, BrokenPipeError):
        # The reader left (`venom list | head`): nobody is there to be told, and the interpreter
        # must not try to flush into the pipe again.
        _discard_output()
        return ExitCode.FAILED
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        _discard_output()
        _print(
            {
                "code": "output_not_written",
                "message": f"What this command prints cannot be written ({error.strerror}).",
                "fix": "Make room where it goes, or send it elsewhere.",
            }
        )
        return ExitCode.FAILED
    if isinstance(error, KeyboardInterrupt | click.Abort):
        print(words("\nStopped."), file=sys.stderr)
        return ExitCode.INTERRUPTED
    if isinstance(error, VenomError):
        _say(error.record(), arguments)
        return exit_code_of(error)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        print(error.format_message())
        return ExitCode.OK
    if isinstance(error, click.ClickException):
        _say(_usage_record(error), arguments)
        return ExitCode.USAGE
    _log(error)
    _say(
        {
            "code": "internal_error",
            "message": f"Venom failed at this command ({type(error).__name__}).",
            "fix": "The log has the details (venom logs); VENOM_LOG_LEVEL=debug shows them here.",
        },
        arguments,
    )
    return ExitCode.FAILED


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(error: VenomError) -> None:
    """Print the refusal on stderr, for commands that go on after it."""
    _print(error.record())


def _say(record: Mapping[str, Any], arguments: Sequence[str]) -> None:
    if wants_json(arguments):
        print_json({"error": record})
    else:
        sys.stdout.flush()
        _print(record)


def _print(record: Mapping[str, Any]) -> None:
    print(f"{words('Error:'):6} {words(one_line(record['message']))}", file=sys.stderr)
    if record.get("fix"):
        print(f"{words('Fix:'):6} {words(one_line(record['fix']))}", file=sys.stderr)
    print(f"{words('Code:'):6} {record['code']}", file=sys.stderr, flush=True)


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether ``--json`` is among the options; after ``--`` it is somebody's text."""
    options = list(arguments)
    return "--json" in (options[: options.index("--")] if "--" in options else options)


def _usage_record(error: click.ClickException) -> dict[str, Any]:
    context = getattr(error, "ctx", None)
    fix = f"See: {context.command_path} --help" if context is not None else "See: venom --help"
    return {"code": "usage", "message": error.format_message(), "fix": fix}


def _log(error: BaseException) -> None:
    from venom_core.cli.logs import begin_logging
    from venom_core.settings.paths import Paths

    if not any(handler.get_name() == "venom" for handler in logging.getLogger().handlers):
        begin_logging(Paths.resolve())  # a command that needs no connection has begun none
    logging.getLogger(__name__).error("a command failed", exc_info=error)
    if os.environ.get("VENOM_LOG_LEVEL") == "debug":
        import traceback

        traceback.print_exception(error)
