"""The exit codes of `venom`. Scripts may rely on these numbers; `venom --help` prints them."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venom_core.sdk.errors import VenomError


class ExitCode(IntEnum):
    """The numbers. A server that is stopped by Ctrl-C or SIGTERM ends with ``OK``: that is how one
    stops it."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    NOT_FOUND = 4
    NOT_ALLOWED = 5
    CONFLICT = 6
    STORAGE = 7
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "failed, for a reason that none of the others names",
    ExitCode.USAGE: "the command, an option, a setting or a parameter is wrong",
    ExitCode.UNAVAILABLE: "no engine, or a provider cannot answer now",
    ExitCode.NOT_FOUND: "no such model, plugin or key",
    ExitCode.NOT_ALLOWED: "an API key is missing or not valid, or something is not allowed",
    ExitCode.CONFLICT: "something else is in the way: a port, another Venom, an ambiguous name",
    ExitCode.STORAGE: "the data directory cannot be written, or the disk is full",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C",
}

_BY_STATUS = {
    400: ExitCode.USAGE,
    413: ExitCode.USAGE,
    422: ExitCode.USAGE,
    401: ExitCode.NOT_ALLOWED,
    403: ExitCode.NOT_ALLOWED,
    404: ExitCode.NOT_FOUND,
    409: ExitCode.CONFLICT,
    429: ExitCode.UNAVAILABLE,
    502: ExitCode.UNAVAILABLE,
    503: ExitCode.UNAVAILABLE,
    504: ExitCode.UNAVAILABLE,
    507: ExitCode.STORAGE,
}


def exit_code_of(error: VenomError) -> ExitCode:
    """Return the exit code of a refusal: by its HTTP status, the same everywhere.

    ``no_model`` counts as unavailable although it is a 404: nothing was named that is not there.
    """
    if error.code == "no_model":
        return ExitCode.UNAVAILABLE
    if error.code == "disk_full":  # found before or while fetching, the disk is what is full
        return ExitCode.STORAGE
    return _BY_STATUS.get(error.status, ExitCode.FAILED)
