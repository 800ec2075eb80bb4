"""Installing a plugin and its engine: first a plan that is checked and shown, then exactly that.

On the public index ``venom`` is a stranger's, and a bare install of an extra of it has removed ours
and installed the stranger. So pip is told which Venom this is, its plan is refused if it touches
any distribution of ours, and what is then installed is pinned to the plan by hash.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from venom_core._version import __version__
from venom_core.installing.planned import (
    Addition,
    PlannedPackage,
    additions_of,
    all_hashed,
    planned,
)
from venom_core.installing.sources import InstallSource, find_source, installed_hash, remember
from venom_core.installing.wheels import PluginWheel, is_wheel_file, read_wheel
from venom_core.plugins.names import CORE_DISTRIBUTION, FIRST_PARTY, RESERVED_NAMES, normalized
from venom_core.sdk.errors import Conflict, InvalidRequest
from venom_core.sdk.pip import Pip
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from venom_core.settings.layers import Settings

_DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """The plan of an install. Without ``additions`` everything is there already.

    ``size_bytes`` adds up the known sizes; ``sizes_unknown`` counts the others; ``wheel`` is the
    file that a person named.
    """

    name: str
    requirement: str
    source: InstallSource
    first_party: bool
    additions: tuple[Addition, ...]
    wheel: PluginWheel | None = None

    @property
    def size_bytes(self) -> int:
        return sum(addition.size_bytes or 0 for addition in self.additions)

    @property
    def sizes_unknown(self) -> int:
        return sum(addition.size_bytes is None for addition in self.additions)

    @property
    def done(self) -> bool:
        return not self.additions

    @property
    def summary(self) -> str:
        """Return a sentence for a person: distributions and megabytes."""
        if self.done:
            return f"{self.requirement} is installed; there is nothing to add."
        count = len(self.additions)
        size = f"{self.size_bytes / 1e6:.1f} MB"
        if self.sizes_unknown == count:
            size = "of a size that the index does not say"
        elif self.sizes_unknown:
            size = f"{size} and {self.sizes_unknown} of unknown size"
        noun = "package" if count == 1 else "packages"
        title = self.source.title if self.wheel is None else self.wheel.path.name
        return f"{self.requirement} adds {count} {noun}, {size}, from {title}."


@dataclass(frozen=True, slots=True)
class InstallResult:
    """The outcome of an install; ``core_version`` is the untouched core's."""

    plan: InstallPlan
    core_version: str


class PluginInstaller:
    """Plans and carries out installs into the environment of this process.

    Everything blocks: call it in a thread, or from a command that has nothing else to do. Nothing
    of it is reachable over HTTP.

    Args:
        python: the interpreter whose pip runs; it must be this one outside of tests.
    """

    def __init__(self, settings: Settings, paths: Paths, *, python: str = sys.executable) -> None:
        self._settings = settings
        self._paths = paths
        self._pip = Pip(python)

    def plan(self, name: str, *, third_party: bool = False) -> InstallPlan:
        """Return what installing a plugin would add. Nothing is installed.

        Args:
            name: ``onnx``, ``venom-onnx``, with ``third_party`` the name of any distribution, or
                the path of a wheel of somebody else's plugin, which is trusted by naming it.
            third_party: the user has confirmed that it is not of Venom's release.

        Raises:
            InvalidRequest: ``invalid_plugin_name``.
            Conflict: ``third_party_plugin`` without the confirmation; ``source_checkout``;
                ``plan_refused``, since it would replace a distribution of ours or bring one under
                our name that is not.
            NotFound: ``wheelhouse_not_found``.
            InstallFailed: pip could not make a plan.
            VenomError: a wheel is refused; see :func:`read_wheel`.
        """
        installed = _installed()
        core = installed.get(CORE_DISTRIBUTION)
        version = core.version if core is not None else __version__
        if is_wheel_file(name):
            wheel = read_wheel(name, version)
            return self._plan_of_wheel(wheel, version, installed)
        owner = _owner(name)
        if owner is None and not third_party:
            raise _unconfirmed(name)
        distribution = owner or normalized(_checked(name))
        source = find_source(self._settings, self._paths, core)
        if owner is None:
            # a wheelhouse holds one release and nobody else's plugins
            source = InstallSource(None, {}, source.checkout)
            requirement = distribution
        else:
            requirement = f"{distribution}[engine]=={version}"
            if source.checkout and source.wheelhouse is None and distribution not in installed:
                raise _from_checkout(distribution, source.checkout)
        items = self._resolved(requirement, source, version)
        for item in items:
            _check(item, distribution, version, installed, source)
        additions = additions_of(items, installed)
        return InstallPlan(name, requirement, source, owner is not None, additions)

    def _plan_of_wheel(
        self, wheel: PluginWheel, version: str, installed: dict[str, Distribution]
    ) -> InstallPlan:
        """Return the plan of a file: what it needs besides comes from pip's index. Another file of
        the version that is installed takes its place: that is how an author tries what he built."""
        source = InstallSource(None, {})
        requirement = f"{wheel.distribution}=={wheel.version}"
        present = installed.get(wheel.distribution)
        if present is not None and installed_hash(present) == wheel.sha256:
            return InstallPlan(wheel.distribution, requirement, source, False, (), wheel)
        items = self._resolved(str(wheel.path), source, version)
        others = [item for item in items if item.name != wheel.distribution]
        for item in others:
            _check(item, wheel.distribution, version, installed, source)
        addition = Addition(
            wheel.distribution,
            wheel.version,
            wheel.path.name,
            wheel.size_bytes,
            None if present is None else present.version,
            wheel.sha256,
        )
        additions = (addition, *additions_of(others, installed))
        return InstallPlan(wheel.distribution, requirement, source, False, additions, wheel)

    def _resolved(
        self, requirement: str, source: InstallSource, version: str
    ) -> list[PlannedPackage]:
        constraints = [f"{ours}=={version}" for ours in sorted(FIRST_PARTY)]
        return planned(self._pip.resolve(requirement, source.options(), constraints))

    def install(
        self, plan: InstallPlan, *, output: Callable[[str], None] | None = None
    ) -> InstallResult:
        """Install exactly what the plan lists.

        Args:
            output: called with each line that pip writes.

        Raises:
            InstallFailed: pip failed, or what it found is no longer what was planned.
            Conflict: ``core_changed``, if our own distribution is not what it was.
        """
        before = _core_version()
        if not plan.done:
            hashed = all_hashed(plan.additions)
            pinned = [_pin(addition, hashed, plan.wheel) for addition in plan.additions]
            options = plan.source.options()
            if plan.wheel is not None:
                options.append("--force-reinstall")  # the same version, and another file
            self._pip.install(pinned, options, output=output)
        after = _core_version()
        if after != before:
            raise Conflict(
                f"After the install {CORE_DISTRIBUTION} is {after} and was {before}.",
                fix="Install this release again from its wheelhouse.",
                code="core_changed",
            )
        if plan.source.wheelhouse is not None:
            remember(self._paths, plan.source.wheelhouse)
        return InstallResult(plan, after)


def _check(
    item: PlannedPackage,
    wanted: str,
    version: str,
    installed: dict[str, Distribution],
    source: InstallSource,
) -> None:
    """Refuse an item that touches what is ours, or comes under our name and is not."""
    told = f"{item.name} {item.version}"
    present = installed.get(item.name)
    if item.name == CORE_DISTRIBUTION:
        raise _refused(f"it would install {told} over the running {CORE_DISTRIBUTION} {version}")
    if present is not None and item.name.startswith("venom-") and item.name != wanted:
        raise _refused(f"it would replace {item.name} {present.version} by {item.version}")
    if item.direct:
        raise _refused(f"{told} would come from an address of its own and not from an index")
    if item.name not in FIRST_PARTY:
        return
    if item.version != version or not item.pins_core(version):
        raise _refused(f"{told} is not of this release, {version}")
    if source.wheelhouse is not None:
        _check_file(item, source)


def _check_file(item: PlannedPackage, source: InstallSource) -> None:
    if not source.sums:
        return
    expected = source.sums.get(item.filename)
    if expected is None or item.sha256 != expected:
        raise _refused(f"{item.filename} is not the file that the wheelhouse's SHA256SUMS names")


def _pin(addition: Addition, hashed: bool, wheel: PluginWheel | None) -> str:
    if wheel is not None and addition.name == wheel.distribution:
        return wheel.requirement if hashed else f"{addition.name} @ {wheel.path.as_uri()}"
    return addition.pin(hashed)


def _installed() -> dict[str, Distribution]:
    from importlib.metadata import Distribution

    found: dict[str, Distribution] = {}
    for distribution in Distribution.discover():
        try:
            name: str | None = distribution.metadata["Name"]
        except Exception:  # damaged metadata of whatever lies there is nobody's trouble
            logging.getLogger(__name__).info("unreadable metadata: %s", distribution)
            continue
        if name:
            found.setdefault(normalized(name), distribution)
    return found


def _core_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(CORE_DISTRIBUTION)
    except PackageNotFoundError:
        return __version__


def _owner(name: str) -> str | None:
    """Return our distribution for a plugin's or distribution's name; None where it is not ours."""
    if name in RESERVED_NAMES:
        return RESERVED_NAMES[name]
    distribution = normalized(name)
    return distribution if distribution in FIRST_PARTY - {CORE_DISTRIBUTION} else None


def _checked(name: str) -> str:
    if not _DISTRIBUTION.fullmatch(name) or normalized(name) == CORE_DISTRIBUTION:
        raise InvalidRequest(
            "That is not the name of a plugin's distribution.",
            fix="Give a plugin of this release (onnx) or the name of a distribution (venom-acme).",
            code="invalid_plugin_name",
            param="name",
        )
    return name


def _unconfirmed(name: str) -> Conflict:
    distribution = normalized(_checked(name))
    return Conflict(
        f"{distribution} is not part of Venom's release; whoever publishes it can run any code"
        " here.",
        fix=f"If you trust it: venom plugins install {distribution} --third-party",
        code="third_party_plugin",
    )


def _from_checkout(distribution: str, checkout: Path) -> Conflict:
    folder = f"plugins/{distribution.replace('-', '_')}"
    if (checkout / folder / "pyproject.toml").is_file():
        fix = f"In the checkout: {Path(sys.executable).name} -m pip install --editable"
        what = quote(f"{folder}[engine]")
        fix += f" {what}, or set VENOM_WHEELHOUSE to a folder made by make wheelhouse."
    else:
        there = sorted(path.parent.name for path in checkout.glob("plugins/venom_*/pyproject.toml"))
        names = ", ".join(name.removeprefix("venom_") for name in there) or "none"
        fix = f"The plugins of the checkout are: {names}."
    return Conflict(
        f"Venom runs from a source checkout, which has no wheel of {distribution}.",
        fix=fix,
        code="source_checkout",
    )


def _refused(why: str) -> Conflict:
    return Conflict(
        f"The plan that pip made is refused: {why}. Nothing was installed.",
        fix="Set VENOM_WHEELHOUSE to the folder with this release's wheels and try again.",
        code="plan_refused",
    )
