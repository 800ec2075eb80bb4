"""Python environments apart from Venom's own: where they lie, and whether they can be used.

``venom engines install`` makes them, of what a plugin declares in
:class:`~venom_core.sdk.spec.EngineEnvironment`. Its record is written last and removed first: an
environment without one is not whole, whatever lies there. Everything here blocks; callers on an
event loop run it in threads.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from venom_core.sdk.disk import Place, disk_errors, make_writable_folder
from venom_core.sdk.errors import Conflict
from venom_core.sdk.spec import EngineEnvironment

FOLDER = "environments"
PLACE = Place("Venom's folder of environments", "VENOM_HOME", "home_not_writable")
#: ``missing``: nothing is there. ``unfinished``: it was begun, or something of it is gone.
#: ``outdated``: whole, and made of other packages than are declared now.
EnvironmentState = Literal["missing", "unfinished", "outdated", "ready"]
_POLL_SECONDS = 0.1


class Environment:
    """One environment on the disk.

    Args:
        declared: what it is to be.
        data_dir: of the provider that declares it (``ProviderContext.data_dir``).
    """

    def __init__(self, declared: EngineEnvironment, data_dir: Path) -> None:
        self.declared = declared
        self.folder = data_dir / FOLDER / declared.name

    @property
    def python(self) -> Path:
        """Return its interpreter, which may not be there."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def record_file(self) -> Path:
        """Return the file that :meth:`record` reads."""
        return self.folder / "venom-environment.json"

    def state(self) -> EnvironmentState:
        """Return what can be told by a look; that its packages can be imported, only trying
        tells."""
        if not self.folder.exists():
            return "missing"
        record = self.record()
        if record is None or not self.python.is_file():
            return "unfinished"
        same = record.get("packages") == list(self.declared.packages)
        return "ready" if same else "outdated"

    def record(self) -> dict[str, Any] | None:
        """Return what was written when it became whole: ``packages`` as declared then,
        ``installed`` with every ``name==version``, ``size_bytes``. None where it is not."""
        try:
            found = json.loads(self.record_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    @contextlib.contextmanager
    def held(self, *, wait: Callable[[], object] | None = None) -> Iterator[None]:
        """Hold it while the block runs: one at a time installs, removes or uses it.

        Args:
            wait: called once where another process holds it; then this waits. None refuses.

        Raises:
            Conflict: ``environment_busy``.
            StorageError: its folder cannot be written.
        """
        import filelock

        make_writable_folder(self.folder.parent, PLACE)
        # A thread of a pool takes it, and another one gives it back.
        lock = filelock.FileLock(
            self.folder.with_name(f".{self.declared.name}.lock"), mode=0o600, thread_local=False
        )
        with disk_errors(PLACE):
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout as error:
                if wait is None:
                    raise Conflict(
                        f"{self.declared.name} is in use, or being installed or removed.",
                        fix="Wait until that has ended, then try again.",
                        code="environment_busy",
                    ) from error
                wait()
                lock.acquire(poll_interval=_POLL_SECONDS)
        try:
            yield
        finally:
            lock.release()
