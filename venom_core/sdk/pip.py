"""Running pip: this interpreter's, without questions, and ended with Venom; what its failures mean.

pip and nothing else, because it knows which index this machine uses, through which proxy and with
which credentials. Its temporary files lie in the folder that a call names or makes, so that nothing
is left where it is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import logging
import os
import re
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

from venom_core.sdk.child_process import child_environment, finish, launch
from venom_core.sdk.errors import NoDiskSpace, Unavailable, UpstreamTimeout

logger = logging.getLogger(__name__)

PLAN_TIMEOUT = 600.0
RUN_TIMEOUT = 3600.0
POLL_SECONDS = 0.2
GRACE = 2.0
_TAIL = 30
_BLOCK = 64 * 1024
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
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
#: Wheels only: building a source package would run its code before anybody looked at it.
_WHEELS = ("--only-binary", ":all:")
_PLAIN = ("--progress-bar", "off")


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
        python: the interpreter whose pip runs; its environment is what packages are installed into.
        target: the interpreter of another environment that gets the packages, and needs no pip.
    """

    def __init__(self, python: str = sys.executable, *, target: Path | None = None) -> None:
        self._python = python
        self._options = () if target is None else ("--python", str(target))

    def resolve(
        self,
        requirement: str | Sequence[str],
        options: Sequence[str],
        constraints: Sequence[str],
    ) -> dict[str, Any]:
        """Return pip's installation report for a requirement, or several; nothing is installed.
        Blocks.

        Raises:
            InstallFailed: pip could not make a plan.
        """
        with tempfile.TemporaryDirectory(prefix="venom-install-") as name:
            folder = Path(name)
            report, pins = folder / "report.json", folder / "constraints.txt"
            pins.write_text("".join(f"{pin}\n" for pin in constraints), encoding="utf-8")
            arguments = [*_PLAIN, "--dry-run", "--report", str(report), *_WHEELS]
            wanted = [requirement] if isinstance(requirement, str) else requirement
            arguments += [*options, "--constraint", str(pins), *wanted]
            asyncio.run(self._whole("install", arguments, folder, PLAN_TIMEOUT))
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
        Blocks; an interrupt ends pip.

        Raises:
            InstallFailed: pip failed; it installs all or nothing.
        """
        with tempfile.TemporaryDirectory(prefix="venom-install-") as name:
            steps = self.installing(pinned, options, Path(name))
            asyncio.run(_told(steps, output))

    async def installing(
        self, pinned: Sequence[str], options: Sequence[str], folder: Path
    ) -> AsyncGenerator[Sequence[str], None]:
        """Install as :meth:`install` does, yielding as :meth:`download` does. Closing the generator
        ends pip.

        Args:
            folder: for pip's temporary files; the caller removes it.
        """
        arguments = [*_PLAIN, "--no-deps", *_WHEELS, *options]
        arguments += await asyncio.to_thread(_requirements, folder, pinned)
        async with contextlib.aclosing(
            self._run("install", arguments, folder, RUN_TIMEOUT)
        ) as steps:
            async for lines in steps:
                yield lines

    def uninstall(self, distribution: str, *, output: Callable[[str], None] | None = None) -> None:
        """Remove one distribution, and nothing that it needs. Blocks; an interrupt ends pip.

        Raises:
            InstallFailed: ``uninstall_failed``; pip puts back what it had removed.
        """
        with tempfile.TemporaryDirectory(prefix="venom-install-") as name:
            arguments = ["--yes", "--", distribution]
            try:
                asyncio.run(self._whole("uninstall", arguments, Path(name), RUN_TIMEOUT, output))
            except InstallFailed as error:
                if error.code != InstallFailed.default_code:
                    raise
                raise InstallFailed(
                    f"pip could not remove {distribution}.",
                    fix="The lines above say why.",
                    code="uninstall_failed",
                    output=error.output,
                ) from error

    async def download(
        self, requirements: Sequence[str], folder: Path, wheels: Path
    ) -> AsyncGenerator[Sequence[str], None]:
        """Fetch the wheels of requirements, and of nothing they depend on; nothing is installed and
        none of their code runs. Yields what pip wrote since the last step, which may be nothing,
        several times a second. Closing the generator ends pip.

        Args:
            requirements: lines of a requirements file.
            folder: for pip's temporary files; the caller removes it.
            wheels: the folder that gets the wheels; those that are there already are not fetched
                again where they have the hash that a requirement asks for.

        Raises:
            InstallFailed: pip failed.
            UpstreamTimeout: it did not end within an hour.
        """
        arguments = [*_PLAIN, "--no-deps", *_WHEELS, "--no-cache-dir", "--dest", str(wheels)]
        arguments += await asyncio.to_thread(_requirements, folder, requirements)
        async with contextlib.aclosing(
            self._run("download", arguments, folder, RUN_TIMEOUT)
        ) as steps:
            async for lines in steps:
                yield lines

    async def _whole(
        self,
        command: str,
        arguments: list[str],
        folder: Path,
        timeout: float,
        output: Callable[[str], None] | None = None,
    ) -> None:
        await _told(self._run(command, arguments, folder, timeout), output)

    async def _run(
        self, command: str, arguments: Sequence[str], folder: Path, timeout: float
    ) -> AsyncGenerator[Sequence[str], None]:
        """Run pip until it ends, at most ``timeout`` seconds; yields the lines that it writes."""
        if self._python == sys.executable and importlib.util.find_spec("pip") is None:
            raise _failure(_NO_PIP.pattern)
        # -P: a folder called pip where the user happens to be must not become our pip
        argv = (
            self._python, "-P", "-m", "pip", *self._options, command, "--no-input",
            "--disable-pip-version-check", *arguments,
        )  # fmt: skip
        temporary = folder / "tmp"
        await asyncio.to_thread(temporary.mkdir)
        env = _environment(temporary, alone="--no-index" in arguments)
        process = await launch(argv, log_file=None, env=env, grace=GRACE)
        assert process.stdout is not None
        tail: list[str] = []
        try:
            async with asyncio.timeout(timeout):
                async with contextlib.aclosing(_lines(process.stdout)) as steps:
                    async for lines in steps:
                        tail = [*tail, *lines][-_TAIL:]
                        yield lines
                code = await process.wait()
        except TimeoutError as error:
            raise UpstreamTimeout(
                f"pip did not end within {timeout:g} s.",
                fix="Look at the network or the package index, then try again.",
                code="install_timeout",
            ) from error
        finally:
            await asyncio.shield(finish(process, GRACE))
        if code != 0:
            raise _failure("\n".join(tail))


async def _told(
    steps: AsyncGenerator[Sequence[str], None], output: Callable[[str], None] | None
) -> None:
    """Hand each line to ``output`` until there are no more."""
    async with contextlib.aclosing(steps):
        async for lines in steps:
            if output is not None:
                for line in lines:
                    output(line)


def _requirements(folder: Path, lines: Sequence[str]) -> tuple[str, str]:
    """Return the option for a requirements file with these lines, which it writes."""
    file = folder / "requirements.txt"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return "--requirement", str(file)


async def _lines(stream: asyncio.StreamReader) -> AsyncGenerator[Sequence[str], None]:
    """Yield the lines that come, without passwords in addresses; none where nothing came in time
    for a step."""
    rest = b""
    while True:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                data = await stream.read(_BLOCK)
        except TimeoutError:
            yield ()
            continue
        *whole, rest = (rest + (data or b"\n")).split(b"\n")
        if data or whole != [b""]:
            texts = (line.decode("utf-8", "replace").rstrip() for line in whole)
            yield [_CREDENTIALS.sub("", text) for text in texts]
        if not data:
            return


def _environment(temporary: Path, *, alone: bool) -> dict[str, str]:
    env = {name: v for name, v in child_environment().items() if name not in _DROPPED}
    if alone:
        ours = _KEPT_ALONE
        env = {name: v for name, v in env.items() if not name.startswith("PIP_") or name in ours}
        env["PIP_CONFIG_FILE"] = os.devnull  # pip's way to say: no configuration file at all
    place = str(temporary)
    return env | {"TMPDIR": place, "TEMP": place, "TMP": place, "PYTHONIOENCODING": "utf-8"}


_NO_PIP = re.compile("No module named pip")
#: What pip writes, code, sentence, fix; the first that occurs is the cause.
_CAUSES = (
    (
        _NO_PIP,
        "pip_missing",
        "This Python has no pip.",
        f"{Path(sys.executable).name} -m ensurepip --upgrade",
    ),
    (
        re.compile("externally-managed-environment"),
        "environment_managed",
        "This Python belongs to the operating system, which does not let pip change it.",
        "Install Venom into a virtual environment (python3 -m venv) and try again.",
    ),
    (
        re.compile("DO NOT MATCH THE HASHES"),
        "hash_mismatch",
        "A package is no longer the one that was planned.",
        "Nothing was installed. Find out who changed it, then try again.",
    ),
    (
        re.compile("ResolutionImpossible"),
        "install_conflict",
        "What it needs does not go together with what is installed.",
        "The lines above name the packages; a fresh virtual environment has no such conflict.",
    ),
    (
        re.compile("No matching distribution found"),
        "plugin_not_available",
        "There is no such package there, or none that fits this Python and this Venom.",
        "Set VENOM_WHEELHOUSE to the folder with this release's wheels.",
    ),
    (
        re.compile(r"No space left on device|\[Errno 28\]"),
        "disk_full",
        "The disk is full.",
        "Make room and try again; nothing was installed.",
    ),
)


def _failure(output: str) -> InstallFailed:
    logger.info("pip failed: %s", output)
    for words, code, message, fix in _CAUSES:
        if words.search(output):
            refusal = NoSpaceToInstall if code == NoDiskSpace.default_code else InstallFailed
            return refusal(message, fix=fix, code=code, output=output)
    message = "pip failed; nothing was installed."
    fix = "The lines above say why."
    return InstallFailed(message, fix=fix, code="install_failed", output=output)
