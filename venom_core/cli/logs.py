"""The log of this process: always one file of the data directory, warnings on stderr as well
where a server runs in the foreground."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from venom_core.sdk.errors import StorageError
from venom_core.sdk.masking import masked
from venom_core.sdk.printable import one_line, printable
from venom_core.settings.paths import Paths

MAX_BYTES = 2 * 1024 * 1024
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_file(paths: Paths) -> Path:
    return paths.log_file


class _Clean(logging.Formatter):
    """No secret in any line, and each line but the first indented: no word of a stranger can look
    like an entry of its own."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(masked(super().format(record))).replace("\n", "\n    ")


class _OneLine(logging.Formatter):
    """Without stack traces: those are in the file."""

    def format(self, record: logging.LogRecord) -> str:
        return one_line(masked(f"{record.levelname.capitalize()}: {record.getMessage()}"))


def begin_logging(paths: Paths, level: str = "warning", *, to_stderr: bool = False) -> None:
    """Send this process's log into the data directory; where that cannot be written, nowhere.

    Calling it again replaces what the last call set up.
    """
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if handler.get_name() == "venom"]:
        root.removeHandler(old)
        old.close()
    handlers = [_file_handler(paths)]
    if to_stderr or level == "debug":
        on_screen = logging.StreamHandler(sys.stderr)
        on_screen.setFormatter(_Clean(FORMAT) if level == "debug" else _OneLine())
        on_screen.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
        handlers.append(on_screen)
    for handler in handlers:
        handler.set_name("venom")
        root.addHandler(handler)
    root.setLevel(level.upper())
    if level == "debug":  # other people's chatter hides ours
        for name in ("asyncio", "aiohttp", "httpcore", "httpx"):
            logging.getLogger(name).setLevel(logging.INFO)


def _file_handler(paths: Paths) -> logging.Handler:
    # Imported here: it brings sockets and pickle.
    from logging.handlers import RotatingFileHandler

    try:
        paths.make(paths.logs_dir)
        handler = RotatingFileHandler(
            log_file(paths), maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8"
        )
        log_file(paths).chmod(0o600)
    except (OSError, StorageError):
        return logging.NullHandler()
    handler.setFormatter(_Clean(FORMAT))
    return handler
