"""Reasons for a manifest that did not load."""

from __future__ import annotations

import logging
from pathlib import PurePath
from types import TracebackType
from typing import TYPE_CHECKING

from venom_core.plugins.reasons import reason
from venom_core.sdk.states import Reason

if TYPE_CHECKING:
    from venom_core.plugins.discovery import Found

logger = logging.getLogger(__name__)


class LoadError(Exception):
    """The manifest did not load; ``reason`` is fit to be shown."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.message)
        self.reason = why


def failure_of(found: Found, error: BaseException) -> Reason:
    """Return the reason for a manifest that raised ``error``, and log it."""
    logger.warning("plugin %s of %s did not load", found.id, found.distribution, exc_info=error)
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return reason(
            "manifest_exited",
            f"The manifest of {found.id} tried to end the process{_place(error.__traceback__)}.",
            ask_author(found),
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        return reason(
            "import_failed",
            f"The manifest of {found.id} needs the module {error.name}, which is not installed.",
            f"Install {found.distribution} again, with its dependencies, then: venom plugins retry"
            f" {found.id}",
        )
    return reason(
        "import_failed",
        f"The manifest of {found.id} raised {type(error).__name__}{_where(error)}.",
        ask_author(found),
    )


def bad_manifest(found: Found, what: str) -> LoadError:
    return LoadError(reason("bad_manifest", f"The plugin {found.id}: {what}.", ask_author(found)))


def ask_author(found: Found) -> str:
    return (
        f"Install another version of {found.distribution} than {found.version}, or report it to"
        " its authors; the server's log has the details."
    )


def _where(error: BaseException) -> str:
    """Return where an error is: what is no Python has no frame, and says it itself."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" in {PurePath(error.filename).name}, line {error.lineno}"
    return _place(error.__traceback__)


def _place(traceback: TracebackType | None) -> str:
    """Return where it was raised, as module and line: of use to an author, and no path of this
    machine."""
    place = ""
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        if isinstance(module, str) and not module.startswith(("importlib", "venom_core.plugins")):
            place = f" in {module}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
