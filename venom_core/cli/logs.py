"""The log of this process: always one file of the data directory, warnings on stderr as well
where a server runs in the foreground."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from venom_core.cli.log_lines import JsonLines, OneLine, TextLines
from venom_core.sdk.errors import StorageError, VenomError
from venom_core.settings.paths import Paths

LogFormat = Literal["text", "json"]


def log_file(paths: Paths) -> Path:
    return paths.log_file


def begin_logging(
    paths: Paths,
    level: str = "warning",
    *,
    to_stderr: bool = False,
    form: str | None = None,
) -> None:
    """Send this process's log into the data directory; where that cannot be written, nowhere.

    Calling it again replaces what the last call set up.

    Args:
        form: a :data:`LogFormat`; None looks up the setting at the first line, since most commands
            log nothing.
    """
    end_logging()
    root = logging.getLogger()
    handlers = [_file_handler(paths, form)]
    if to_stderr or level == "debug":
        handlers.append(_stderr_handler(level, form))
    for handler in handlers:
        handler.set_name("venom")
        root.addHandler(handler)
    root.setLevel(level.upper())
    if level == "debug":  # other people's chatter hides ours
        for name in ("asyncio", "aiohttp", "httpcore", "httpx"):
            logging.getLogger(name).setLevel(logging.INFO)


def end_logging() -> None:
    """Close what :func:`begin_logging` opened."""
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if handler.get_name() == "venom"]:
        root.removeHandler(old)
        old.close()


def _file_handler(paths: Paths, form: str | None) -> logging.Handler:
    # Imported here: it brings sockets and pickle.
    from venom_core.cli.log_file import BoundedLog

    try:
        paths.make(paths.logs_dir)
        handler = BoundedLog(log_file(paths))
    except (OSError, StorageError):
        return logging.NullHandler()
    handler.setFormatter(_Chosen(lambda: _form_of(paths)) if form is None else _lines(form))
    return handler


def _stderr_handler(level: str, form: str | None) -> logging.Handler:
    handler = _Screen(sys.stderr)
    if form == "json":
        handler.setFormatter(JsonLines())
    else:
        handler.setFormatter(TextLines() if level == "debug" else OneLine())
    handler.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    return handler


class _Screen(logging.StreamHandler):  # type: ignore[type-arg]
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Leave a line out that cannot be written: whoever read stderr is gone, or its disk is
        full, and the work goes on."""


class _Chosen(logging.Formatter):
    """Lines in the form that the settings name, read once a line is there."""

    def __init__(self, form: Callable[[], str]) -> None:
        super().__init__()
        self._form = form
        self._lines: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        if self._lines is None:
            self._lines = TextLines()  # what reading the settings logs itself
            self._lines = _lines(self._form())
        return self._lines.format(record)


def _lines(form: str) -> logging.Formatter:
    return JsonLines() if form == "json" else TextLines()


def _form_of(paths: Paths) -> str:
    from venom_core.settings.layers import Settings

    try:
        return Settings.load(paths, os.environ).core.log_format
    except VenomError:  # a log is written under settings that cannot be read, too
        return str(get_args(LogFormat)[0])
