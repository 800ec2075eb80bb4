"""Small records in the data directory: written in one step, readable by their owner only."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from venom_core.sdk.disk import write_file
from venom_core.settings.paths import Paths


def write_record(paths: Paths, file: Path, record: dict[str, Any]) -> None:
    """Put ``record`` in place, mode 0600 from the first byte. Raises ``StorageError``."""
    paths.make(paths.run_dir)
    try:
        write_file(file, json.dumps(record))
    except OSError as error:
        raise paths.not_writable(error) from error


def read_record(file: Path) -> dict[str, Any] | None:
    """Return the record; None where there is none, or where it is no JSON object."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def remove_own(file: Path, pid: int) -> None:
    """Remove the record if it still is that of process ``pid``; a later one may be there."""
    record = read_record(file)
    if record is not None and record.get("pid") == pid:
        with contextlib.suppress(OSError):
            file.unlink()
