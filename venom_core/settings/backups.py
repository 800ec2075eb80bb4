"""Backups of ``config.toml``: one before each change, the newest kept.

Each has a running number in its name, so that their order does not depend on a clock that jumps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from venom_core.sdk.disk import write_file
from venom_core.settings.paths import Paths

#: Backups that are kept; each change takes one and drops the oldest.
KEPT = 50
_NAME = re.compile(r"config-(\d{6,12})-\d{8}T\d{6}Z\.toml", re.ASCII)


@dataclass(frozen=True, slots=True)
class ConfigBackup:
    """A backup: its file, and the running number that orders it."""

    path: Path
    number: int


def keep_backup(paths: Paths) -> str | None:
    """Copy the present file and return the copy's name; None where there is no file yet. Raises
    ``StorageError``."""
    try:
        content = paths.config_file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise paths.not_writable(error) from error
    kept = list_backups(paths)
    number = kept[0].number + 1 if kept else 1
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = paths.make(folder(paths)) / f"config-{number:06}-{stamp}.toml"
    try:
        write_file(target, content)
        for old in kept[KEPT - 1 :]:
            old.path.unlink(missing_ok=True)
    except OSError as error:
        raise paths.not_writable(error) from error
    return target.name


def list_backups(paths: Paths) -> list[ConfigBackup]:
    """Return the backups, the newest first; other files of the folder are not listed."""
    return sorted(_found(folder(paths)), key=lambda one: one.number, reverse=True)


def folder(paths: Paths) -> Path:
    """Return where the backups of the configuration lie."""
    return paths.home / "backups" / "config"


def _found(where: Path) -> Iterator[ConfigBackup]:
    if not where.is_dir():
        return
    for path in where.iterdir():
        match = _NAME.fullmatch(path.name)
        if match and path.is_file() and not path.is_symlink():
            yield ConfigBackup(path, int(match.group(1)))
