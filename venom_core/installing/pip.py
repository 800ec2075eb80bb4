"""Running this interpreter's pip, and what its failures mean."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from venom_core.sdk.errors import NoDiskSpace, Unavailable, UpstreamTimeout

logger = logging.getLogger(__name__)

PLAN_TIMEOUT = 600.0
INSTALL_TIMEOUT = 3600.0
_TAIL = 30
#: Settings of a user's pip that would send the packages elsewhere, or the report astray.
_DROPPED = frozenset(
    {
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_DRY_RUN",
        "PIP_REPORT",
        "PIP_QUIET",
        "PIP_VERBOSE",
    }
)
#: What is left of them where a wheelhouse is the only source: pip adds the find-links of its
#: environment and configuration to ours, and they may hold anybody's packages.
_KEPT_ALONE = frozenset({"PIP_CACHE_DIR", "PIP_NO_CACHE_DIR", "PIP_BREAK_SYSTEM_PACKAGES"})


class InstallFailed(Unavailable):
    """pip failed. ``output`` is the end of what it wrote, for a person who asked for the install;
    it may name paths and must not go into an API's answer."""

    default_code = "install_failed"

    def __init__(self, message: str, *, fix: str, code: str, output: str) -> None:
        super().__init__(message, fix=fix, code=code)
        self.output = output


class NoSpaceToInstall(NoDiskSpace, InstallFailed):
    """pip found the disk full."""


class Pip:
    """pip of one interpreter.

    Args:
        python: the interpreter; its environment is what packages are installed into.
    """

    def __init__(self, python: str = sys.executable) -> None:
        self._python = python

    def resolve(
        self, requirement: str, options: Sequence[str], constraints: Sequence[str]
    ) -> dict[str, Any]:
        """Return pip's installation report for a requirement; nothing is installed.

        Wheels only: building a source package would run its code before anybody looked at the plan.

        Raises:
            InstallFailed: pip could not make a plan.
        """
        with tempfile.TemporaryDirectory(prefix="venom-install-") as folder:
            report, pins = Path(folder) / "report.json", Path(folder) / "constraints.txt"
            pins.write_text("".join(f"{pin}\n" for pin in constraints), encoding="utf-8")
            arguments = ["--dry-run", "--report", str(report), "--only-binary", ":all:"]
            arguments += [*options, "--constraint", str(pins), requirement]
            self._install(arguments, PLAN_TIMEOUT)
            content: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
            return content

    def install(
        self,
        pinned: Sequence[str],
        options: Sequence[str],
        *,
        output: Callable[[str], None] | None = None,
    ) -> None:
        """Install exactly the given lines of a requirements file, and nothing they depend on.

        Raises:
            InstallFailed: pip failed; it installs all or nothing.
        """
        with tempfile.TemporaryDirectory(prefix="venom-install-") as folder:
            lines = Path(folder) / "requirements.txt"
            lines.write_text("".join(f"{line}\n" for line in pinned), encoding="utf-8")
            arguments = [
                "--no-deps",
                "--only-binary",
                ":all:",
                *options,
                "--requirement",
                str(lines),
            ]
            self._install(arguments, INSTALL_TIMEOUT, output)

    def _install(
        self, arguments: list[str], timeout: float, output: Callable[[str], None] | None = None
    ) -> None:
        # -P: a folder called pip where the user happens to be must not become our pip
        command = [self._python, "-P", "-m", "pip", "install", "--no-input"]
        command += ["--disable-pip-version-check", "--progress-bar", "off", *arguments]
        env = _environment(alone="--no-index" in arguments)
        tail: list[str] = []
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            encoding="utf-8",
            errors="replace",
        ) as process:
            code = self._follow(process, timeout, tail, output)
        if code != 0:
            raise _failure("\n".join(tail))

    def _follow(
        self,
        process: subprocess.Popen[str],
        timeout: float,
        tail: list[str],
        output: Callable[[str], None] | None,
    ) -> int:
        """Read what pip writes until it ends, at most ``timeout`` seconds."""
        import threading

        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(timeout, end)
        timer.daemon = True
        timer.start()
        try:
            for line in process.stdout or ():
                tail.append(line.rstrip())
                del tail[:-_TAIL]
                if output is not None:
                    output(line.rstrip())
            code = process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()
        if late.is_set():
            raise UpstreamTimeout(
                f"pip did not end within {timeout:g} s.",
                fix="Look at the network or the package index, then try again.",
                code="install_timeout",
            )
        return code


def _environment(*, alone: bool) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    if alone:
        ours = _KEPT_ALONE
        env = {name: v for name, v in env.items() if not name.startswith("PIP_") or name in ours}
        env["PIP_CONFIG_FILE"] = os.devnull  # pip's way to say: no configuration file at all
    env["PYTHONIOENCODING"] = "utf-8"
    return env


#: Text in pip's output -> (code, sentence, fix); the first that occurs is the cause.
_CAUSES = (
    (
        "No module named pip",
        "pip_missing",
        "This Python has no pip.",
        f"{Path(sys.executable).name} -m ensurepip --upgrade",
    ),
    (
        "externally-managed-environment",
        "environment_managed",
        "This Python belongs to the operating system, which does not let pip change it.",
        "Install Venom into a virtual environment (python3 -m venv) and try again.",
    ),
    (
        "DO NOT MATCH THE HASHES",
        "hash_mismatch",
        "A package is no longer the one that was planned.",
        "Nothing was installed. Find out who changed it, then try again.",
    ),
    (
        "ResolutionImpossible",
        "install_conflict",
        "What it needs does not go together with what is installed.",
        "The lines above name the packages; a fresh virtual environment has no such conflict.",
    ),
    (
        "No matching distribution found",
        "plugin_not_available",
        "There is no such package there, or none that fits this Python and this Venom.",
        "Set VENOM_WHEELHOUSE to the folder with this release's wheels.",
    ),
    (
        "No space left on device",
        "disk_full",
        "The disk is full.",
        "Make room and try again; nothing was installed.",
    ),
)


def _failure(output: str) -> InstallFailed:
    logger.info("pip failed: %s", output)
    for text, code, message, fix in _CAUSES:
        if text in output:
            refusal = NoSpaceToInstall if code == NoDiskSpace.default_code else InstallFailed
            return refusal(message, fix=fix, code=code, output=output)
    message = "pip failed; nothing was installed."
    fix = "The lines above say why."
    return InstallFailed(message, fix=fix, code="install_failed", output=output)
