"""Offers: plugins of this release that are not installed, and environments of engines.

Nothing is installed over the API: an offer has the command that does it.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from venom_core.installing.sources import is_obtainable
from venom_core.plugins.names import ROOTS, normalized
from venom_core.sdk.entry_points import ENTRY_POINT_PREFIX
from venom_core.sdk.environments import Environment, EnvironmentState
from venom_core.sdk.errors import VenomError
from venom_core.sdk.records import ReasonRecord
from venom_core.sdk.spec import EngineEnvironment, ProviderSpec
from venom_core.sdk.states import Reason

if TYPE_CHECKING:
    from venom_core.settings.layers import Settings


class PluginOffer(TypedDict):
    """A plugin of this release that is not installed. ``obtainable`` is false where the wheelhouse
    that this installation came from does not have it."""

    id: str
    distribution: str
    summary: str
    command: str
    obtainable: bool


class EnvironmentOffer(TypedDict):
    """Packages of an engine in an environment of their own. ``command`` installs or mends it, and
    is null where it is ``ready``; ``size_bytes`` is what it takes on the disk, known once it is
    there."""

    name: str
    provider: str
    title: str
    summary: str
    state: EnvironmentState
    download_bytes: int
    disk_bytes: int
    size_bytes: int | None
    reason: ReasonRecord | None
    command: str | None


class Offers(TypedDict):
    plugins: list[PluginOffer]
    environments: list[EnvironmentOffer]


@functools.cache
def descriptions() -> Mapping[str, tuple[str, str]]:
    """Return the distribution and the description of every plugin of this release, by its id."""
    import tomllib

    found: dict[str, tuple[str, str]] = {}
    root = next((root for root in ROOTS if root.is_dir()), None)
    for file in sorted(root.glob("*/pyproject.toml")) if root is not None else ():
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        told = (normalized(project["name"]), str(project["description"]))
        for group, points in project["entry-points"].items():
            if group.startswith(ENTRY_POINT_PREFIX):
                found.update(dict.fromkeys(points, told))
    return found


def offers(
    settings: Settings, installed: Collection[str], specs: Mapping[str, ProviderSpec]
) -> Offers:
    """Return what could be installed. Blocks.

    Args:
        installed: the distributions that are.
        specs: of the providers of loaded plugins, by name.
    """
    plugins: list[PluginOffer] = [
        {
            "id": name,
            "distribution": distribution,
            "summary": summary,
            "command": f"venom plugins install {name}",
            "obtainable": is_obtainable(settings, name),
        }
        for name, (distribution, summary) in descriptions().items()
        if distribution not in installed
    ]
    return {"plugins": plugins, "environments": _environments(settings, specs)}


def _environments(settings: Settings, specs: Mapping[str, ProviderSpec]) -> list[EnvironmentOffer]:
    from venom_core.installing.environments import environments_of  # pip's parts: not at a start

    owners = {one.name: name for name, spec in specs.items() for one in spec.environments}
    found = environments_of(specs, settings.paths)
    return [_environment(owners[name], environment) for name, environment in found.items()]


def _environment(provider: str, environment: Environment) -> EnvironmentOffer:
    declared, state = environment.declared, environment.state()
    size = (environment.record() or {}).get("size_bytes")
    return {
        "name": declared.name,
        "provider": provider,
        "title": declared.title,
        "summary": declared.summary,
        "state": state,
        "download_bytes": declared.download_bytes,
        "disk_bytes": declared.disk_bytes,
        "size_bytes": size if isinstance(size, int) else None,
        "reason": None if state == "ready" else _useless(declared),
        "command": None if state == "ready" else f"venom engines install {declared.name}",
    }


def _useless(declared: EngineEnvironment) -> ReasonRecord | None:
    from venom_core.installing.environments import check_usable

    try:
        check_usable(declared)
    except VenomError as error:
        return Reason.of(error).record()
    return None
