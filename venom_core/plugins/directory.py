"""The providers of the loaded plugins by name, alias and preference, as of one moment.

Every request asks; it is made anew only where a plugin was loaded, unloaded or excluded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venom_core.plugins.installed import InstalledPlugin
    from venom_core.plugins.providers import ProviderSlot


class ProviderDirectory:
    """Looks providers up.

    Attributes:
        usable: the slots that no conflict of names keeps closed; a profile may.
        specs: provider name -> declaration of the usable ones.
        preference: the providers that take part in the choice for a bare name, the preferred
            first. Those of our release come before third parties'; among equals nobody is
            preferred.
    """

    def __init__(self, plugins: Sequence[InstalledPlugin]) -> None:
        self._all = [slot for plugin in plugins for slot in plugin.slots]
        self.usable = tuple(slot for slot in self._all if not _lost_its_name(slot))
        self.specs = {slot.spec.name: slot.spec for slot in self.usable}
        self._aliases = _aliases(plugins)
        self.preference = _preference(plugins)

    def resolve(self, name: str) -> str | None:
        """Return the provider that ``name`` stands for, itself or an alias."""
        return name if name in self.specs else self._aliases.get(name)

    def find(self, name: str) -> ProviderSlot | None:
        """Return the usable provider of a name or alias, else one that says why it is not."""
        resolved = self.resolve(name) or name
        named = [slot for slot in self._all if slot.spec.name == resolved]
        return next((slot for slot in named if slot.excluded is None), named[0] if named else None)


def conflicting_providers(plugins: Iterable[InstalledPlugin]) -> dict[str, list[ProviderSlot]]:
    """Return provider names that several loaded plugins declare -> the slots that lose. Our release
    wins over third parties; between third parties nobody does."""
    claims: dict[str, list[tuple[bool, ProviderSlot]]] = {}
    for plugin in plugins:
        for slot in plugin.slots:
            claims.setdefault(slot.spec.name, []).append((plugin.first_party, slot))
    losers: dict[str, list[ProviderSlot]] = {}
    for name, claimants in claims.items():
        if len(claimants) > 1:
            losers[name] = [slot for first_party, slot in claimants if not first_party]
    return losers


def _lost_its_name(slot: ProviderSlot) -> bool:
    return slot.excluded is not None and slot.excluded.code == "name_conflict"


def _aliases(plugins: Iterable[InstalledPlugin]) -> dict[str, str]:
    """Return alias -> provider name. An alias that is also a provider's name, or is claimed twice
    by third parties, stands for nothing."""
    plugins = list(plugins)
    names = {slot.spec.name for plugin in plugins for slot in plugin.slots}
    ours: dict[str, str] = {}
    theirs: dict[str, set[str]] = {}
    for plugin in plugins:
        for slot in plugin.slots:
            for alias in slot.spec.aliases:
                if plugin.first_party:
                    ours[alias] = slot.spec.name
                else:
                    theirs.setdefault(alias, set()).add(slot.spec.name)
    sole = {alias: owners.pop() for alias, owners in theirs.items() if len(owners) == 1}
    return {alias: name for alias, name in (sole | ours).items() if alias not in names}


def _preference(plugins: Iterable[InstalledPlugin]) -> tuple[str, ...]:
    ranked: dict[tuple[bool, int], list[str]] = {}
    for plugin in plugins:
        for slot in plugin.slots:
            if slot.spec.preference > 0 and not _lost_its_name(slot):
                rank = (plugin.first_party, slot.spec.preference)
                ranked.setdefault(rank, []).append(slot.spec.name)
    alone = {rank: names[0] for rank, names in ranked.items() if len(names) == 1}
    return tuple(alone[rank] for rank in sorted(alone, reverse=True))
