"""Making the environments that plugins declare: fetched, unpacked, tried, and only then used.

Each step can be gone on behind: wheels that came stay until the environment is whole, and what was
unpacked without its record is unpacked anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import platform
import shutil
import sys
import time
import venv
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from venom_core.installing.planned import Addition, additions_of, all_hashed, planned
from venom_core.plugins.names import RESERVED_NAMES, normalized
from venom_core.sdk.child_process import child_environment, finish, launch
from venom_core.sdk.disk import (
    check_space,
    discard,
    disk_errors,
    make_writable_folder,
    sha256_of,
    size_of_tree,
    write_file,
)
from venom_core.sdk.environments import PLACE, Environment
from venom_core.sdk.errors import Conflict, NotFound, Unavailable
from venom_core.sdk.graphics import has_nvidia
from venom_core.sdk.machine import this_machine
from venom_core.sdk.pip import InstallFailed, Pip
from venom_core.sdk.provider import BuildProgress
from venom_core.sdk.spec import EngineEnvironment, ProviderSpec
from venom_core.settings.paths import Paths

#: An index may offer other builds of the same version: torch's for graphics cards take gigabytes.
MOST_TIMES_THE_SIZE = 2
TRY_SECONDS = 300.0
_GRACE = 5.0
_LOOK_SECONDS = 2.0
_PORTION_BYTES = 10_000_000
_FETCHED, _UNPACKED = 50, 90
_BLOCK = 64 * 1024
_TAIL_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class EnvironmentPlan:
    """The packages that pip would fetch. ``size_bytes`` adds up the known sizes."""

    additions: tuple[Addition, ...]

    @property
    def size_bytes(self) -> int:
        return sum(addition.size_bytes or 0 for addition in self.additions)

    @property
    def pins(self) -> list[str]:
        """Return the lines of a requirements file that are exactly this plan."""
        return self.lines(self.additions)

    def lines(self, additions: Iterable[Addition]) -> list[str]:
        """Return the lines of a requirements file for some of it."""
        hashed = all_hashed(self.additions)
        return [addition.pin(hashed) for addition in additions]

    def portions(self) -> Iterator[list[Addition]]:
        """Yield it in portions, the largest first: pip keeps what it fetches once a call of it
        ends, so what a person loses by stopping one is the file on its way, or a few small ones."""
        portion: list[Addition] = []
        for addition in sorted(self.additions, key=lambda one: -(one.size_bytes or 0)):
            portion.append(addition)
            if sum(one.size_bytes or 0 for one in portion) >= _PORTION_BYTES:
                yield portion
                portion = []
        if portion:
            yield portion

    @property
    def installed(self) -> list[str]:
        """Return every ``name==version``."""
        return [addition.pin(hashed=False) for addition in self.additions]


def wheels_of(environment: Environment) -> Path:
    """Return the folder that keeps what was fetched until the environment is whole."""
    return environment.folder.with_name(f".{environment.declared.name}.wheels")


def environments_of(specs: Mapping[str, ProviderSpec], paths: Paths) -> dict[str, Environment]:
    """Return the environments that providers declare, by name."""
    found: dict[str, Environment] = {}
    for name, spec in sorted(specs.items()):
        for declared in spec.environments:
            found.setdefault(declared.name, Environment(declared, paths.providers_dir / name))
    return found


def find_environment(environments: Mapping[str, Environment], name: str) -> Environment:
    """Return one by its name. Raises ``NotFound`` (``environment_not_found``)."""
    if name in environments:
        return environments[name]
    shown = "".join(char for char in name if char.isprintable())[:64]
    owner = name.partition("-")[0]
    fix = f"Those that there are: {', '.join(environments) or 'none'}"
    if owner in RESERVED_NAMES and not any(one.startswith(owner) for one in environments):
        fix = f"Install the plugin that has it: venom plugins install {owner}"
    message = f"No installed plugin has an environment {shown}."
    raise NotFound(message, fix=fix, code="environment_not_found")


def check_usable(declared: EngineEnvironment) -> None:
    """Raise what keeps an environment from being of use on this machine. Blocks.

    Raises:
        Unavailable: ``environment_not_available``, where nothing is published for this machine;
            ``no_graphics_card`` and ``too_little_memory``, where it would be of no use here.
    """
    here = f"{sys.platform}-{platform.machine()}".lower()
    if declared.platforms and here not in declared.platforms:
        raise Unavailable(
            f"What {declared.name} needs is not published for this machine ({here}).",
            fix=f"Install Venom on one of these: {', '.join(declared.platforms)}",
            code="environment_not_available",
        )
    _check_machine(declared)


class EnvironmentInstaller:
    """Makes and removes one environment. Whoever calls holds it: :meth:`Environment.held`.

    Args:
        python: the interpreter whose pip runs, and which the environment gets.
    """

    def __init__(self, environment: Environment, *, python: str = sys.executable) -> None:
        self._environment = environment
        self._python = python
        self._wheels = wheels_of(environment)
        #: For temporary files of pip, on the disk where the environment lies.
        self._scratch = environment.folder.with_name(f".{environment.declared.name}.tmp")

    def check(self) -> None:
        """Raise what keeps it from being installed here, before anything is fetched. Blocks.

        Raises:
            Unavailable: as :func:`check_usable`.
            NoDiskSpace: ``disk_full``.
            StorageError: the folder cannot be written.
        """
        declared, folder = self._environment.declared, self._environment.folder
        check_usable(declared)
        with disk_errors(PLACE):
            here_already = size_of_tree(self._wheels)
            old = size_of_tree(folder)  # it goes before the new one is unpacked
        fetch = max(0, declared.download_bytes - here_already)
        check_space(folder, max(0, fetch + declared.disk_bytes - old), declared.name, PLACE)
        make_writable_folder(folder.parent, PLACE)

    def plan(self, *, any_size: bool = False) -> EnvironmentPlan:
        """Return what pip would fetch from where it is configured to, without what the declaration
        excludes. Nothing is installed. Blocks.

        Args:
            any_size: also where it is far more than was declared.

        Raises:
            InstallFailed: pip could not make a plan.
            Conflict: ``environment_too_large``.
            NoDiskSpace: ``disk_full``.
        """
        declared = self._environment.declared
        try:
            report = Pip(self._python).resolve(declared.packages, ["--ignore-installed"], [])
        except InstallFailed as error:
            raise _not_there(error, declared.name) from error
        left_out = set(map(normalized, declared.excludes))
        wanted = [package for package in planned(report) if package.name not in left_out]
        plan = EnvironmentPlan(additions_of(wanted, {}))
        most = declared.download_bytes * MOST_TIMES_THE_SIZE
        if plan.size_bytes > most and not any_size:
            raise Conflict(
                f"pip's package index offers {plan.size_bytes / 1e9:.1f} GB for {declared.name},"
                f" and {declared.download_bytes / 1e9:.1f} GB was expected: builds for graphics"
                " cards.",
                fix="Name an index with builds for the processor in pip's configuration"
                " (extra-index-url), or take these: --any-size",
                code="environment_too_large",
            )
        more = max(plan.size_bytes - declared.download_bytes, 0)
        check_space(self._environment.folder, more, declared.name, PLACE)
        return plan

    async def install(self, plan: EnvironmentPlan) -> AsyncGenerator[BuildProgress, None]:
        """Fetch, unpack, try, and write the record; the last step is ``completed``. Closing it ends
        pip and keeps what was fetched.

        Raises:
            InstallFailed: pip failed, or what it installed does not work (``install_failed``).
            StorageError: a folder cannot be written.
        """
        environment = self._environment
        try:
            await asyncio.to_thread(self.unfinish)  # what lies there is no good: it is made anew
            async with contextlib.aclosing(self._fetch(plan)) as steps:
                async for percent in steps:
                    yield BuildProgress("building", "Fetching", percent)
            yield BuildProgress("building", "Unpacking", _FETCHED)
            async with contextlib.aclosing(self._unpack(plan)) as steps:
                async for percent in steps:
                    yield BuildProgress("building", "Unpacking", percent)
            yield BuildProgress("building", "Trying whether it works", _UNPACKED)
            said = await self.fault()
            if said is not None:
                raise InstallFailed(
                    f"{environment.declared.name} was installed and does not work.",
                    fix="The lines above say why.",
                    code="install_failed",
                    output=said,
                )
            size = await asyncio.to_thread(size_of_tree, environment.folder)
            await asyncio.to_thread(self._finish, plan, size)
        finally:
            await asyncio.shield(asyncio.to_thread(self._tidy))
        yield BuildProgress("completed", f"{environment.declared.name} is installed", 100)

    def _finish(self, plan: EnvironmentPlan, size_bytes: int) -> None:
        """Write the record: from now on it is whole."""
        content = {
            "packages": list(self._environment.declared.packages),
            "installed": plan.installed,
            "size_bytes": size_bytes,
        }
        with disk_errors(PLACE):
            write_file(self._environment.record_file, json.dumps(content, indent=2), durable=True)

    def unfinish(self) -> None:
        """Remove the record, before anything else of it is. Blocks. Raises ``StorageError``."""
        with disk_errors(PLACE):
            self._environment.record_file.unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Remove what is of no use to a later install."""
        environment = self._environment
        discard(self._scratch)
        if environment.record() is not None:
            discard(self._wheels)
        else:
            discard(environment.folder)

    async def _fetch(self, plan: EnvironmentPlan) -> AsyncGenerator[int, None]:
        """Fetch the wheels, yielding the percent."""
        wheels, most = self._wheels, 0
        await asyncio.to_thread(make_writable_folder, wheels, PLACE)
        for portion in plan.portions():
            missing = await asyncio.to_thread(self._missing, portion)
            if not missing:
                continue
            folder = await asyncio.to_thread(self._new_scratch)
            steps = Pip(self._python).download(plan.lines(missing), folder, wheels)
            async with contextlib.aclosing(steps):
                async for _ in steps:
                    here = await asyncio.to_thread(_bytes_in, wheels, folder)
                    most = max(most, min(_FETCHED, here * _FETCHED // max(1, plan.size_bytes)))
                    yield most

    def _missing(self, portion: Iterable[Addition]) -> list[Addition]:
        """Return those of which no earlier try has left the file."""
        found = []
        for addition in portion:
            file = self._wheels / addition.filename
            here = addition.sha256 and file.is_file() and sha256_of(file) == addition.sha256
            if not here:
                found.append(addition)
        return found

    async def _unpack(self, plan: EnvironmentPlan) -> AsyncGenerator[int, None]:
        """Make the environment anew of the wheels that were fetched, yielding the percent."""
        environment = self._environment
        await asyncio.to_thread(self._make_anew)
        folder = await asyncio.to_thread(self._new_scratch)
        options = ["--no-index", "--find-links", str(self._wheels)]
        pip = Pip(self._python, target=environment.python)
        most, looked = _FETCHED, 0.0
        async with contextlib.aclosing(pip.installing(plan.pins, options, folder)) as steps:
            async for _ in steps:
                if time.monotonic() - looked >= _LOOK_SECONDS:  # tens of thousands of files
                    here = await asyncio.to_thread(size_of_tree, environment.folder)
                    part = here * (_UNPACKED - _FETCHED) // environment.declared.disk_bytes
                    most, looked = max(most, min(_UNPACKED, _FETCHED + part)), time.monotonic()
                yield most

    def _new_scratch(self) -> Path:
        """Return an empty folder for pip's temporary files."""
        with disk_errors(PLACE):
            discard(self._scratch)
            self._scratch.mkdir()
        return self._scratch

    def _make_anew(self) -> None:
        folder = self._environment.folder
        with disk_errors(PLACE):
            if folder.exists():
                shutil.rmtree(folder)
            # pip of this interpreter fills it: it needs none of its own, and Debian's lacks it.
            venv.EnvBuilder(symlinks=sys.platform != "win32", with_pip=False).create(folder)

    async def fault(self) -> str | None:
        """Import its modules in its interpreter; return what that said where it failed, at most its
        last lines. None where it works."""
        modules = "; ".join(f"import {name}" for name in self._environment.declared.modules)
        argv = (str(self._environment.python), "-I", "-c", modules)
        try:
            process = await launch(argv, log_file=None, env=child_environment(), grace=_GRACE)
        except OSError as error:
            return f"{argv[0]}: {error.strerror}"
        said = b""
        try:
            async with asyncio.timeout(TRY_SECONDS):
                assert process.stdout is not None
                while block := await process.stdout.read(_BLOCK):
                    said = (said + block)[-_TAIL_CHARACTERS:]
                code = await process.wait()
        except TimeoutError:
            return f"It did not end within {TRY_SECONDS:g} s."
        finally:
            await asyncio.shield(finish(process, _GRACE))
        return None if code == 0 else said.decode("utf-8", "replace") or f"It ended with {code}."

    def remove(self) -> None:
        """Remove it with what was fetched for it. Blocks. Raises ``StorageError``."""
        with disk_errors(PLACE):
            self.unfinish()
            for folder in (
                self._environment.folder,
                self._wheels,
                self._scratch,
            ):
                if folder.exists():
                    shutil.rmtree(folder)


def _check_machine(declared: EngineEnvironment) -> None:
    """Raise the refusal of a machine on which it could be installed and not be used."""
    if declared.card == "nvidia" and not has_nvidia():
        raise Unavailable(
            f"{declared.name} computes on NVIDIA's graphics cards, and this machine has none, or"
            " not their driver.",
            fix=f"For the processor: venom engines install {declared.name} --cpu",
            code="no_graphics_card",
        )
    total = this_machine().memory_total_bytes
    if total < declared.memory_bytes:
        raise Unavailable(
            f"This machine has {total / 1e9:.1f} GB of memory; {declared.name} needs"
            f" {declared.memory_bytes / 1e9:.1f} GB.",
            fix="Install it on a larger machine, or give the container more.",
            code="too_little_memory",
        )


def _bytes_in(*folders: Path) -> int:
    return sum(map(size_of_tree, folders))


def _not_there(error: InstallFailed, name: str) -> InstallFailed:
    """Return a failure of pip in words that are true of an environment."""
    if error.code != "plugin_not_available":
        return error
    return InstallFailed(
        f"pip's package index does not have what {name} needs, or not for this Python and this"
        " machine.",
        fix="See which index pip asks: python -m pip config list",
        code="environment_not_available",
        output=error.output,
    )
