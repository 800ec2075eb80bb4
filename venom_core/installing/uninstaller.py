"""Removing a plugin of somebody else's: first what that takes away, then exactly that."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from venom_core.plugins.discovery import Found, scan
from venom_core.plugins.names import normalized
from venom_core.sdk.disk import size_of_tree
from venom_core.sdk.errors import Conflict, NotFound, StorageError
from venom_core.sdk.pip import InstallFailed, Pip
from venom_core.sdk.spec import SettingValue
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from venom_core.settings.changes import Tables


@dataclass(frozen=True, slots=True)
class Removal:
    """The distribution that goes, and what is of it.

    Args:
        plugins: the names of all its plugins.
        folder: where it is installed; files, size_bytes: of it there. An editable install has
            next to nothing there: its sources stay where they are.
        data: the folders of its providers that are there; data_bytes: of their files.
    """

    distribution: str
    version: str
    plugins: tuple[str, ...]
    folder: Path
    files: int
    size_bytes: int
    data: tuple[Path, ...]
    data_bytes: int


def plan_removal(name: str, paths: Paths, providers: Iterable[str] = ()) -> Removal:
    """Return what uninstalling a plugin would remove; nothing is. Blocks.

    Args:
        name: the plugin's or its distribution's.
        providers: its providers' names beside the plugin's own, where they are known.

    Raises:
        NotFound: ``plugin_not_found``.
        Conflict: ``first_party_plugin``; ``ambiguous_plugin``.
    """
    from importlib.metadata import distribution

    found = _called(name)
    chosen = distribution(found[0].distribution)
    folder = Path(str(chosen.locate_file("")))
    sizes = [_size(Path(str(path.locate()))) for path in chosen.files or ()]
    names = dict.fromkeys((*(one.id for one in found), *providers))
    data = [place for one in names if (place := paths.providers_dir / one).is_dir()]
    return Removal(
        found[0].distribution,
        found[0].version,
        tuple(one.id for one in found),
        folder,
        len(sizes),
        sum(sizes),
        tuple(data),
        sum(map(size_of_tree, data)),
    )


def remove(removal: Removal, *, output: Callable[[str], None] | None = None) -> None:
    """Remove the distribution; what it needed stays, since others may need it. Blocks.

    Raises:
        InstallFailed: ``uninstall_failed``.
    """
    Pip().uninstall(removal.distribution, output=output)
    if any(one.distribution == removal.distribution for one in scan().found):
        raise InstallFailed(
            f"{removal.distribution} is installed all the same: not in this environment.",
            fix=f"Remove it where it lies: {removal.folder}",
            code="uninstall_failed",
            output="",
        )


def purge(removal: Removal, paths: Paths) -> None:
    """Remove the data of its providers, and their tables in the configuration file. Blocks.

    Raises:
        StorageError: something cannot be removed.
    """
    # Imported here: what shows a plan needs no settings.
    from venom_core.settings.layers import Settings

    names = {*removal.plugins, *(place.name for place in removal.data)}

    def wanted(*files: Tables) -> dict[str, SettingValue]:
        held = {name for tables in files for name in tables.get("providers", {})}
        return {f"providers.{name}": None for name in names & held}

    try:
        for place in removal.data:
            shutil.rmtree(place)
    except OSError as error:
        raise StorageError(
            f"{place} cannot be removed ({error.strerror}).", fix="Remove that folder by hand."
        ) from error
    Settings.load(paths).write(wanted)


def _called(name: str) -> list[Found]:
    """Return the plugins of the distribution that a person means."""
    found = scan().found
    meant = [one for one in found if name == one.id or normalized(name) == one.distribution]
    distributions = sorted({one.distribution for one in meant})
    if not meant:
        shown = "".join(char for char in name if char.isprintable())[:64]
        fix = "See what is installed: venom plugins"
        raise NotFound(f"There is no plugin {shown}.", fix=fix, code="plugin_not_found")
    if len(distributions) > 1:
        raise Conflict(
            f"Several plugins are called {name}: {', '.join(distributions)}.",
            fix="Name the distribution instead.",
            code="ambiguous_plugin",
        )
    if meant[0].origin == "first_party":
        raise Conflict(
            f"{distributions[0]} is a part of Venom's release: it came with an extra of venom, and"
            " the next upgrade brings it back.",
            fix=f"Keep it out instead: venom plugins disable {meant[0].id}",
            code="first_party_plugin",
        )
    return [one for one in found if one.distribution == distributions[0]]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
