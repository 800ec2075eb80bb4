"""The service of this user: its file written, taken away and looked at. Each is done whole or not
at all."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import TypedDict

from venom_core.cli.service_managers import Manager
from venom_core.cli.service_units import ServedInstallation, is_ours
from venom_core.sdk.disk import storage_errors, write_file
from venom_core.sdk.errors import Conflict, StorageError, Unavailable, VenomError


class ServiceState(TypedDict):
    """``current``: its file is as `install` would write it; null where there is none. ``answers``:
    the manager can be asked in this session; where not, what it says is null."""

    manager: str
    file: str
    installed: bool
    ours: bool
    current: bool | None
    answers: bool
    active: str | None
    enabled: str | None
    status: str | None
    pid: int | None


class Installed(TypedDict):
    """``next`` are the commands that are left to whoever did not ask for ``--now``."""

    manager: str
    file: str
    changed: bool
    started: bool
    next: list[str]


class Removed(TypedDict):
    """``removed`` is false where there was nothing to remove."""

    manager: str
    file: str
    removed: bool


@dataclass(frozen=True, slots=True)
class Service:
    """The service of one installation under one manager."""

    manager: Manager
    served: ServedInstallation

    @property
    def text(self) -> str:
        """Return what its file is to hold."""
        return self.manager.text(self.served)

    def install(self, *, now: bool, force: bool) -> Installed:
        """Write the file and, with ``now``, start the service at once and at each login.

        Done again it changes nothing that is as it should be. A step that fails undoes those before
        it.

        Raises:
            Conflict: ``service_not_ours``.
            StorageError: ``service_not_written``.
            Unavailable: ``service_manager_missing``, ``service_manager_failed``.
        """
        file, before = self.manager.file, self._before(force)
        answers = self.manager.answers()
        if now and not answers:
            raise Unavailable(
                f"{self.manager.title} cannot be asked in this session.",
                code="service_manager_missing",
                fix="Leave out --now, and start the service from a session that has one.",
            )
        changed = before != self.text.encode()
        running = answers and self.manager.state().get("active") == "active"
        if changed:
            with _disk_errors(file):
                file.parent.mkdir(parents=True, exist_ok=True)
                write_file(file, self.text, mode=0o644)
        try:
            if answers and changed:
                self.manager.reload()
            if now and (changed or not running):
                self.manager.start()
        except VenomError:
            if changed:
                self._put_back(before, running=running, answers=answers)
            raise
        return {
            "manager": self.manager.title,
            "file": str(file),
            "changed": changed,
            "started": now,
            "next": [] if now else list(self.manager.next_steps()),
        }

    def remove(self, *, force: bool) -> Removed:
        """Stop the service and take its file away. Raises as :meth:`install` does."""
        file = self.manager.file
        there = self._before(force) is not None
        if there:
            if self.manager.answers():
                self.manager.stop()
            with _disk_errors(file):
                file.unlink(missing_ok=True)
                self._wish().unlink(missing_ok=True)
            if self.manager.answers():
                self.manager.reload()
        return {"manager": self.manager.title, "file": str(file), "removed": there}

    def state(self) -> ServiceState:
        """Return what is there and what the manager says of it."""
        file, text = self.manager.file, self._read()
        answers = self.manager.answers()
        told = self.manager.state() if answers else {}
        pid = told.get("pid", "")
        return {
            "manager": self.manager.title,
            "file": str(file),
            "installed": text is not None,
            "ours": text is not None and self._is_ours(text),
            "current": None if text is None else text == self.text.encode(),
            "answers": answers,
            "active": told.get("active") or None,
            "enabled": told.get("enabled") or None,
            "status": told.get("status") or None,
            "pid": int(pid) if pid.isascii() and pid.isdigit() else None,
        }

    def _before(self, force: bool) -> bytes | None:
        """Return what the file holds, None where there is none. Raises ``Conflict`` for one that is
        not ours, unless ``force``."""
        text = self._read()
        if text is not None and not force and not self._is_ours(text):
            raise Conflict(
                f"{self.manager.file} was not written by this command.",
                code="service_not_ours",
                fix="Look at it; --force replaces or removes it all the same.",
            )
        return text

    def _read(self) -> bytes | None:
        with _disk_errors(self.manager.file):
            try:
                return self.manager.file.read_bytes()
            except FileNotFoundError:
                return b"" if self.manager.file.is_symlink() else None

    def _is_ours(self, text: bytes) -> bool:
        # A link was made by somebody: to mask the service, or to keep its file elsewhere.
        return not self.manager.file.is_symlink() and is_ours(text.decode("utf-8", "replace"))

    def _put_back(self, before: bytes | None, *, running: bool, answers: bool) -> None:
        file = self.manager.file
        if answers and before is None:
            with contextlib.suppress(VenomError):
                self.manager.stop()  # else it would be started again and again
        with contextlib.suppress(OSError):
            if before is None:
                file.unlink(missing_ok=True)
                self._wish().unlink(missing_ok=True)
            else:
                write_file(file, before, mode=0o644)
        with contextlib.suppress(VenomError):
            self.manager.reload()
            if running:
                self.manager.start()

    def _wish(self) -> Path:
        """Return the link by which systemd knows that the service is wanted at each login."""
        file = self.manager.file
        return file.parent / "default.target.wants" / file.name


def _disk_errors(file: Path) -> AbstractContextManager[None]:
    return storage_errors(
        lambda error: StorageError(
            f"{file} cannot be written or read ({error.strerror or 'I/O error'}).",
            code="service_not_written",
            fix="Make it and its folder writable for this user.",
        )
    )
