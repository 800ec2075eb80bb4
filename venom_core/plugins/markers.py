"""The crash marker: a file that exists only while a plugin is imported.

A native crash or ``os._exit`` leaves no exception to catch. What it leaves is this file, and the
next start knows from it which plugin ended the last one.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from venom_core.plugins.reasons import reason
from venom_core.sdk.disk import write_file
from venom_core.sdk.errors import StorageError
from venom_core.sdk.process_identity import ProcessIdentity
from venom_core.sdk.states import Reason
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from venom_core.plugins.discovery import Found

logger = logging.getLogger(__name__)

_PATTERN = "importing-{distribution}-{id}.json"


class CrashMarkers:
    """The markers of one data directory.

    They name the process, so that a second Venom does not take the import of a living one for a
    crash, and they are taken away at a normal exit: Ctrl-C during an import is no crash.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._mine: set[Path] = set()
        self._cleaning = False

    def crashed(self, found: Found) -> bool:
        """Return whether a process ended while it imported this version of the plugin."""
        try:
            text = self._path(found).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            logger.warning("the crash marker of %s cannot be read: %s", found.id, error)
            return False
        try:
            content = json.loads(text)
            version, importer = content["version"], ProcessIdentity.parse(content)
        except (ValueError, KeyError, TypeError, RecursionError):
            return True  # cut short by the crash itself
        if version != found.version:
            return False
        return not importer.lives()

    @contextlib.contextmanager
    def importing(self, found: Found) -> Iterator[None]:
        """Hold the marker. Where the data directory cannot be written the import goes on without
        one: a crash is then not remembered, which is no reason to load nothing."""
        path = self._path(found)
        try:
            self._write(path, found.version)
        except (OSError, StorageError) as error:
            logger.warning("no crash marker for %s: %s", found.id, error)
        try:
            yield
        finally:
            self._remove(path)

    def forget(self, found: Found) -> None:
        """Give the plugin another chance."""
        self._remove(self._path(found))

    def _path(self, found: Found) -> Path:
        safe = "".join(char if char.isalnum() or char in "-_" else "_" for char in found.id)
        return self._paths.run_dir / _PATTERN.format(distribution=found.distribution, id=safe)

    def _write(self, path: Path, version: str) -> None:
        self._paths.make(self._paths.run_dir)
        content = {**ProcessIdentity.own().record(), "version": version}
        write_file(path, json.dumps(content))
        self._mine.add(path)
        if not self._cleaning:
            self._cleaning = True
            atexit.register(self._remove_mine)

    def _remove(self, path: Path) -> None:
        self._mine.discard(path)
        try:
            path.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            logger.warning("crash marker %s stays: %s", path.name, error)

    def _remove_mine(self) -> None:
        for path in list(self._mine):
            self._remove(path)


def crash_reason(found: Found) -> Reason:
    """Return why a plugin that ended the last start is left out."""
    return reason(
        "crashed_last_start",
        f"The last start ended while {found.distribution} {found.version} was imported, so it is"
        " left out.",
        f"To try it again: venom plugins retry {found.id}",
    )
