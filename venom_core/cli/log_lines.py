"""The lines of a log: for people, or one JSON object each. No secret in any of them, nor what a
terminal would obey."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from venom_core.sdk.masking import masked
from venom_core.sdk.printable import in_json, one_line, printable
from venom_core.sdk.request_ids import CURRENT
from venom_core.sdk.utc import utc_text


class TextLines(logging.Formatter):
    """Each line of an entry but the first is indented: no word of a stranger can look like an entry
    of its own. The id of the request stands in brackets before the message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(request)s%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        request_id = CURRENT.get()
        record.request = "" if request_id is None else f"[{request_id}] "
        return printable(masked(super().format(record))).replace("\n", "\n    ")


class OneLine(logging.Formatter):
    """Without stack traces: those are in the file."""

    def format(self, record: logging.LogRecord) -> str:
        return one_line(masked(f"{record.levelname.capitalize()}: {record.getMessage()}"))


class JsonLines(logging.Formatter):
    """``time`` (UTC), ``level``, ``logger``, ``message``, ``request_id`` (null outside of a
    request) and, where there is one, ``exception``: its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": utc_text(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage()),
            "request_id": CURRENT.get(),
        }
        if record.exc_info:
            entry["exception"] = masked(self.formatException(record.exc_info))
        return in_json(json.dumps(entry, ensure_ascii=False))
