"""Seeing what is installed while this process runs: an interpreter reads ``.pth`` files at its
start only, and an editable install is one.
"""

from __future__ import annotations

import logging
import site
import sys
import time
from pathlib import Path

logger = logging.getLogger(__name__)

#: What was there before, the interpreter has read itself.
_STARTED = time.time()
_read: set[tuple[str, int]] = set()


def read_new_paths() -> None:
    """Read the ``.pth`` files that came since this process began, each once, as the interpreter
    does at its start: folders go to the end of ``sys.path``, lines of code are run. Blocks."""
    for folder in _site_folders():
        for file in sorted(folder.glob("*.pth")):
            try:
                status = file.stat()
            except OSError:  # removed meanwhile
                continue
            key = (str(file), status.st_ctime_ns)
            # Not the time of its content: that is the author's, and may be years ago.
            if status.st_ctime < _STARTED or key in _read:
                continue
            _read.add(key)
            logger.info("reading %s, installed since the start", file.name)
            site.addpackage(str(folder), file.name, None)


def installed_stamp() -> tuple[tuple[str, int], ...]:
    """Return what changes when a distribution is installed or removed: the folders' times."""
    return tuple((place, _changed(place)) for place in dict.fromkeys(sys.path) if place)


def _site_folders() -> list[Path]:
    folders = [*site.getsitepackages(), site.getusersitepackages() if site.ENABLE_USER_SITE else ""]
    return [Path(folder) for folder in folders if folder and Path(folder).is_dir()]


def _changed(place: str) -> int:
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0
