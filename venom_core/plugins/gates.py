"""Gates that an installed plugin must pass before anything of it is imported.

Pure functions, asked in the order of :data:`GATES`; the first that objects says why. Conflicts of
names come last, since a plugin that is out for another reason claims no name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from venom_core.plugins.names import CORE_DISTRIBUTION, RESERVED_NAMES, normalized
from venom_core.plugins.reasons import reason
from venom_core.sdk.entry_points import API_MAJOR
from venom_core.sdk.states import PluginState, Reason

if TYPE_CHECKING:
    from venom_core.plugins.discovery import Found


@dataclass(frozen=True, slots=True)
class KnownBad:
    """Versions of a plugin that must not load: a PEP 440 specifier and what is wrong with them."""

    distribution: str
    versions: str
    message: str
    fix: str


#: Filled by a release that learns of one.
KNOWN_BAD: tuple[KnownBad, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """The facts that the gates judge by.

    Args:
        core_version: the running core's, as its metadata says.
        allowed: plugins that may load, by name or distribution; None for all.
        disabled: plugin or distribution -> the layer that disables it (``flag env file``).
    """

    core_version: str
    allowed: frozenset[str] | None = None
    disabled: Mapping[str, str] = field(default_factory=dict)
    known_bad: tuple[KnownBad, ...] = KNOWN_BAD


@dataclass(frozen=True, slots=True)
class Refusal:
    """The state that a refused plugin is in, and why."""

    state: PluginState
    reason: Reason


Gate = Callable[["Found", Policy], Refusal | None]


def judge(found: Iterable[Found], policy: Policy) -> list[tuple[Found, Refusal | None]]:
    """Return every plugin with its refusal, or None where it may be loaded."""
    judged = [(item, first_refusal(item, policy)) for item in found]
    standing = [item for item, refusal in judged if refusal is None]
    return [(item, refusal or conflict(item, standing)) for item, refusal in judged]


def first_refusal(item: Found, policy: Policy) -> Refusal | None:
    """Return what the first gate that objects says."""
    for gate in GATES:
        refusal = gate(item, policy)
        if refusal is not None:
            return refusal
    return None


def block_and_allow_list(item: Found, policy: Policy) -> Refusal | None:
    """Refuse by VENOM_PLUGINS_DISABLED and what the user disabled, then by VENOM_PLUGINS."""
    names = (item.id, item.distribution)
    layer = next((policy.disabled[name] for name in names if name in policy.disabled), None)
    if layer in ("env", "flag"):
        why = reason(
            "blocked",
            f"VENOM_PLUGINS_DISABLED keeps the plugin {item.id} out.",
            f"Take {item.id} out of VENOM_PLUGINS_DISABLED and start again.",
        )
        return Refusal(PluginState.DISABLED, why)
    if layer is not None:
        why = reason(
            "disabled_by_user",
            f"The plugin {item.id} is disabled.",
            f"venom plugins enable {item.id}",
        )
        return Refusal(PluginState.DISABLED, why)
    if policy.allowed is not None and policy.allowed.isdisjoint(names):
        why = reason(
            "not_allowed",
            f"VENOM_PLUGINS lists the plugins that may load, and {item.id} is not in it.",
            f"Add {item.id} to VENOM_PLUGINS and start again.",
        )
        return Refusal(PluginState.DISABLED, why)
    return None


def api_major(item: Found, policy: Policy) -> Refusal | None:
    """Refuse another API major unimported: the group's name carries it."""
    if item.api == API_MAJOR:
        return None
    why = reason(
        "api_mismatch",
        f"{item.distribution} {item.version} was written for plugin API {item.api};"
        f" this Venom has {API_MAJOR}.",
        f"Install a version of {item.distribution} for plugin API {API_MAJOR}.",
    )
    return Refusal(PluginState.INCOMPATIBLE, why)


def core_version(item: Found, policy: Policy) -> Refusal | None:
    """Compare what the plugin's distribution requires of ``venom`` with the running core."""
    if item.origin == "first_party":
        return None  # lockstep is the stricter rule, and says it better
    for written in item.requires:
        if not _satisfied(written, policy.core_version):
            why = reason(
                "core_mismatch",
                f"{item.distribution} {item.version} requires {written};"
                f" this is {CORE_DISTRIBUTION} {policy.core_version}.",
                f"Install a version of {item.distribution} made for {CORE_DISTRIBUTION}"
                f" {policy.core_version}.",
            )
            return Refusal(PluginState.INCOMPATIBLE, why)
    return None


def lockstep(item: Found, policy: Policy) -> Refusal | None:
    """Require the core's version of plugins of our release, metadata compared with metadata."""
    if item.origin != "first_party" or item.version == policy.core_version:
        return None
    why = reason(
        "lockstep_mismatch",
        f"{item.distribution} is {item.version} and {CORE_DISTRIBUTION} is {policy.core_version};"
        " they are one release.",
        f"venom plugins install {item.id}",
    )
    return Refusal(PluginState.INCOMPATIBLE, why)


def known_bad(item: Found, policy: Policy) -> Refusal | None:
    """Refuse versions that a release knows not to work."""
    for bad in policy.known_bad:
        if normalized(bad.distribution) == item.distribution and _in_range(
            item.version, bad.versions
        ):
            why = reason("known_bad", bad.message, bad.fix)
            return Refusal(PluginState.INCOMPATIBLE, why)
    return None


def reserved_name(item: Found, policy: Policy) -> Refusal | None:
    """Refuse our names where they are not our distributions'."""
    owner = RESERVED_NAMES.get(item.id)
    if owner is None or item.distribution == owner:
        return None
    why = reason(
        "name_reserved",
        f"The name {item.id} belongs to {owner}, and {item.distribution} uses it.",
        f"Remove {item.distribution}, or ask its author to choose another name.",
    )
    return Refusal(PluginState.INCOMPATIBLE, why)


GATES: tuple[Gate, ...] = (
    block_and_allow_list,
    api_major,
    core_version,
    lockstep,
    known_bad,
    reserved_name,
)


def conflict(item: Found, standing: Iterable[Found]) -> Refusal | None:
    """Refuse names that several claim: of third parties nobody wins until all but one are
    disabled."""
    rivals = [other for other in standing if other.id == item.id and other != item]
    if not rivals:
        return None
    names = sorted({other.distribution for other in (*rivals, item)})
    why = reason(
        "name_conflict",
        f"{' and '.join(names)} each have a plugin called {item.id}; none of them is used.",
        f"Keep one of them and disable the others: venom plugins disable {rivals[0].distribution}",
    )
    return Refusal(PluginState.DISABLED, why)


def _satisfied(requirement: str, version: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        parsed = Requirement(requirement)
    except InvalidRequirement:
        return False
    if parsed.marker is not None and not parsed.marker.evaluate({"extra": ""}):
        return True
    return parsed.url is not None or parsed.specifier.contains(version, prereleases=True)


def _in_range(version: str, specifier: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(specifier).contains(version, prereleases=True)
