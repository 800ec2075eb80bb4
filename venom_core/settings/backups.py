"""Backups of ``config.toml``: one before each change, the newest kept.

Each has a running number in its name, so that their order does not depend on a clock that jumps.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from venom_core.sdk.disk import write_file
from venom_core.sdk.errors import NotFound, VenomError
from venom_core.settings import file
from venom_core.settings.paths import Paths

#: Backups that are kept; each change takes one and drops the oldest.
KEPT = 50
#: Beside them, the last file that a process could work with.
LAST_GOOD = "last-good.toml"
_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"config-(\d{6,12})-(\d{8}T\d{6}Z)\.toml", re.ASCII)


@dataclass(frozen=True, slots=True)
class ConfigBackup:
    """A backup: its file, the running number that orders it, and when it was made by the clock of
    then."""

    path: Path
    number: int
    created_at: datetime
    size_bytes: int


def keep(paths: Paths, content: bytes) -> str | None:
    """Keep what the file holds as a backup and return its name; None where that is nothing. Raises
    ``StorageError``."""
    if not content:
        return None
    kept = list_backups(paths)
    number = kept[0].number + 1 if kept else 1
    stamp = datetime.now(UTC).strftime(_STAMP)
    target = paths.make(folder(paths)) / f"config-{number:06}-{stamp}.toml"
    try:
        write_file(target, content)
        for old in kept[KEPT - 1 :]:
            old.path.unlink(missing_ok=True)
    except OSError as error:
        raise paths.not_writable(error) from error
    return target.name


def find(paths: Paths, name: str) -> Path:
    """Return a backup's file. Raises ``NotFound`` for a name that is none of a backup here,
    wherever else a file may have it."""
    for one in list_backups(paths):
        if one.path.name == name:
            return one.path
    raise NotFound(
        f"There is no backup {name!r} of the configuration.",
        code="config_backup_not_found",
        param="backup_filename",
        fix="See which there are: venom config backups",
    )


def keep_good(paths: Paths) -> None:
    """Keep the present file as the last that was good. Raises ``OSError``, ``StorageError``."""
    content = paths.config_file.read_bytes() if paths.config_file.exists() else b""
    target = folder(paths) / LAST_GOOD
    if content != (target.read_bytes() if target.exists() else b""):
        paths.make(target.parent)
        write_file(target, content)


def last_good(paths: Paths) -> dict[str, Any] | None:
    """Return the tables of the last file that was good; None where none was kept."""
    path = folder(paths) / LAST_GOOD
    with contextlib.suppress(OSError, VenomError):
        return file.tables_of(path.read_bytes(), path)
    return None


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
            with contextlib.suppress(ValueError, OSError):  # no time, or gone just now
                made = datetime.strptime(match.group(2), _STAMP).replace(tzinfo=UTC)
                yield ConfigBackup(path, int(match.group(1)), made, path.stat().st_size)
