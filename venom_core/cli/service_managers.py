"""The system's own service managers, asked through their programs: systemd for this user, and
launchd."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from venom_core.cli.service_units import LABEL, ServedInstallation, launchd_plist, systemd_unit
from venom_core.sdk.child_process import child_environment
from venom_core.sdk.errors import InvalidRequest, Unavailable
from venom_core.sdk.printable import one_line

#: Seconds that a start may take, readiness included; the unit's own bound is shorter.
START_SECONDS = 150
SECONDS = 30
MOST_SAID = 300


class Manager(ABC):
    """One service manager and Venom's place in it. ``program`` is what it is asked through."""

    title: str
    program: str

    @property
    @abstractmethod
    def file(self) -> Path:
        """Return where the service's file lies."""

    @abstractmethod
    def text(self, served: ServedInstallation) -> str:
        """Return what stands in it."""

    @abstractmethod
    def answers(self) -> bool:
        """Return whether the manager can be asked in this session."""

    @abstractmethod
    def reload(self) -> None:
        """Let it read the file anew. Raises ``Unavailable``."""

    @abstractmethod
    def start(self) -> None:
        """Start the service now and at each login. Raises ``Unavailable``."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it, and start it at no login. Raises ``Unavailable``."""

    @abstractmethod
    def state(self) -> Mapping[str, str]:
        """Return what the manager says of it: ``active``, ``enabled``, ``status``, ``pid``; nothing
        where it knows no such service."""

    @abstractmethod
    def next_steps(self) -> tuple[str, ...]:
        """Return the commands that start it, for whoever does it by hand."""

    def _run(self, *arguments: str, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
        path = shutil.which(self.program)
        command = (self.program, *arguments)
        if path is None:
            raise self._failed(command, "it is not installed")
        try:
            return subprocess.run(
                (path, *arguments),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                env=child_environment(),
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._failed(command, f"no end within {seconds:g} seconds") from None
        except OSError as error:
            raise self._failed(command, error.strerror or type(error).__name__) from error

    def _do(self, *arguments: str, seconds: float = SECONDS) -> None:
        done = self._run(*arguments, seconds=seconds)
        if done.returncode:
            said = one_line(done.stderr.strip() or done.stdout.strip())[:MOST_SAID]
            raise self._failed((self.program, *arguments), said or f"exit code {done.returncode}")

    def _failed(self, command: tuple[str, ...], why: str) -> Unavailable:
        return Unavailable(
            f"{' '.join(command)} failed: {why}",
            code="service_manager_failed",
            fix="What it says itself, and what the server says: venom service status, venom logs",
        )


class Systemd(Manager):
    """systemd's manager of this user's services."""

    title, program, unit = "systemd", "systemctl", "venom.service"

    @property
    def file(self) -> Path:
        chosen = os.environ.get("XDG_CONFIG_HOME", "")
        base = Path(chosen) if chosen.startswith("/") else Path.home() / ".config"
        return base / "systemd" / "user" / self.unit

    def text(self, served: ServedInstallation) -> str:
        return systemd_unit(served)

    def answers(self) -> bool:
        try:
            return self._run("--user", "show", "--property=Version").returncode == 0
        except Unavailable:
            return False

    def reload(self) -> None:
        self._do("--user", "daemon-reload")

    def start(self) -> None:
        self._do("--user", "enable", self.unit)
        self._do("--user", "restart", self.unit, seconds=START_SECONDS)

    def stop(self) -> None:
        self._do("--user", "disable", "--now", self.unit, seconds=START_SECONDS)

    def state(self) -> Mapping[str, str]:
        names = "LoadState,ActiveState,UnitFileState,StatusText,MainPID"
        try:
            told = self._run("--user", "show", f"--property={names}", self.unit).stdout
        except Unavailable:
            return {}
        found = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
        if found.get("LoadState") in (None, "not-found"):
            return {}
        return {
            "active": found.get("ActiveState", ""),
            "enabled": found.get("UnitFileState", ""),
            "status": one_line(found.get("StatusText", "")),
            "pid": "" if found.get("MainPID") == "0" else found.get("MainPID", ""),
        }

    def next_steps(self) -> tuple[str, ...]:
        enable = ("systemctl", "--user", "enable", "--now", self.unit)
        return ("systemctl --user daemon-reload", shlex.join(enable))


class Launchd(Manager):
    """launchd's manager of this user's agents."""

    title, program = "launchd", "launchctl"

    @property
    def file(self) -> Path:
        return Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    def text(self, served: ServedInstallation) -> str:
        return launchd_plist(served)

    def answers(self) -> bool:
        try:
            return self._run("print", self._domain).returncode == 0
        except Unavailable:
            return False

    def reload(self) -> None:
        """Do nothing: it reads the file when the service is started."""

    def start(self) -> None:
        if self.state():
            self.stop()
        self._do("bootstrap", self._domain, str(self.file), seconds=START_SECONDS)

    def stop(self) -> None:
        if self.state():
            self._do("bootout", f"{self._domain}/{LABEL}", seconds=START_SECONDS)

    def state(self) -> Mapping[str, str]:
        try:
            done = self._run("print", f"{self._domain}/{LABEL}")
        except Unavailable:
            return {}
        if done.returncode:
            return {}
        told = dict(
            line.strip().split(" = ", 1) for line in done.stdout.splitlines() if " = " in line
        )
        return {"active": one_line(told.get("state", "")), "pid": one_line(told.get("pid", ""))}

    def next_steps(self) -> tuple[str, ...]:
        return (shlex.join(("launchctl", "bootstrap", self._domain, str(self.file))),)

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"


def manager_of_this_system() -> Manager:
    """Return the service manager of this system. Raises ``InvalidRequest``."""
    known: dict[str, type[Manager]] = {"Linux": Systemd, "Darwin": Launchd}
    if manager := known.get(platform.system()):
        return manager()
    raise InvalidRequest(
        "Only the service managers of Linux (systemd) and macOS (launchd) are known.",
        code="service_not_supported",
        fix="Let the system's own means run this at login: venom serve",
    )
