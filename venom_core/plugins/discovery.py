"""Finding plugins: one pass over the installed distributions that imports none of them.

``importlib_metadata.entry_points()`` would parse every entry point of every distribution, three
times the work, and one unreadable file would hide all plugins. Here each distribution is read by
itself, its entry points are parsed only where our group occurs in them, and its metadata only then.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from venom_core._version import __version__
from venom_core.plugins.names import CORE_DISTRIBUTION, FIRST_PARTY, normalized
from venom_core.sdk.distributions import UNKNOWN, installed_one, text_of
from venom_core.sdk.entry_points import API_MAJOR, ENTRY_POINT_PREFIX

if TYPE_CHECKING:
    from importlib_metadata import Distribution

logger = logging.getLogger(__name__)

Origin = Literal["first_party", "third_party"]
_NAME_IN_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Found:
    """An entry point of one of our groups, as the metadata has it.

    Args:
        id: the entry point's name. Two distributions may have the same.
        value: the manifest, ``module`` or ``module:attribute``.
        api: the API major from the group's name (``v1``).
        distribution: normalized name; version: of its metadata.
        requires: the distribution's requirements on ``venom``, as written.
    """

    id: str
    value: str
    api: str
    distribution: str
    version: str
    origin: Origin
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """The installed plugins: ``core_version`` is the metadata's, not the source's, since an
    editable install keeps the metadata of the day it was installed."""

    core_version: str
    found: tuple[Found, ...]


def scan(distributions: Callable[[], Iterable[Distribution]] | None = None) -> Scan:
    """Read the metadata of every installed distribution once.

    Args:
        distributions: what is installed; the default reads ``sys.path``.
    """
    core_version = __version__
    found: list[Found] = []
    by_name: dict[str, list[Distribution]] = {}
    for distribution in (distributions or _installed)():
        try:
            by_name.setdefault(_name(distribution), []).append(distribution)
        except Exception:
            logger.warning("nameless metadata: %s", distribution, exc_info=True)
    for name, same in by_name.items():
        distribution = same[0]
        try:
            if len(same) > 1:
                distribution = installed_one(same, lambda one: facts(one)[1])
            if name == CORE_DISTRIBUTION:
                version = facts(distribution)[1]
                core_version = version if version != UNKNOWN else __version__
            found.extend(plugins_of(distribution))
        except Exception:
            logger.warning("unreadable metadata of %s", distribution, exc_info=True)
    found.sort(key=lambda item: (item.id, item.distribution))
    return Scan(core_version, tuple(found))


def _installed() -> Iterable[Distribution]:
    from importlib_metadata import Distribution

    found: Iterable[Distribution] = Distribution.discover()
    return found


def _name(distribution: Distribution) -> str:
    """Return the name; from the folder's where possible, since parsing the metadata of every
    distribution costs more than all the rest."""
    shortcut = getattr(distribution, "_normalized_name", None)
    return normalized(shortcut if isinstance(shortcut, str) else distribution.name)


def plugins_of(distribution: Distribution) -> Iterator[Found]:
    """Yield the plugins of one distribution."""
    text = text_of(distribution, "entry_points.txt")
    if ENTRY_POINT_PREFIX not in text:
        return
    parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    entries: dict[str, tuple[str, str]] = {}
    for group in parser.sections():
        api = group.removeprefix(ENTRY_POINT_PREFIX)
        for entry, value in parser.items(group) if api != group else ():
            if api == API_MAJOR or entry not in entries:
                entries[entry] = (api, value)
    if not entries:
        return
    name, version, requires = facts(distribution)
    for entry, (api, value) in entries.items():
        yield Found(
            id=entry,
            value=value,
            api=api,
            distribution=name,
            version=version,
            origin="first_party" if name in FIRST_PARTY else "third_party",
            requires=requires,
        )


def facts(distribution: Distribution) -> tuple[str, str, tuple[str, ...]]:
    """Return name, version and requirements on the core, from the head of the metadata: parsing it
    as the e-mail it is would parse the long description too. Damaged, what is left of it."""
    text = text_of(distribution, "METADATA") or text_of(distribution, "PKG-INFO")
    name, version, requires = "", "", []
    for line in text.splitlines():
        if not line:
            break
        key, _, value = line.partition(":")
        match key.lower():
            case "name":
                name = value.strip()
            case "version":
                version = value.strip()
            case "requires-dist":
                requires.append(value.strip())
    named = normalized(name) if name else _name(distribution)
    return named, version or UNKNOWN, tuple(_on_venom(requires))


def _on_venom(requirements: Iterable[str]) -> Iterator[str]:
    for requirement in requirements:
        match = _NAME_IN_REQUIREMENT.match(requirement)
        if (
            match
            and normalized(match.group()) == CORE_DISTRIBUTION
            and "extra ==" not in requirement
        ):
            yield requirement
