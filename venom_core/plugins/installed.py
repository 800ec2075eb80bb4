"""An installed plugin in the host's memory: what was found, what became of it, its providers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from venom_core.plugins.names import normalized
from venom_core.plugins.records import PluginRecord
from venom_core.sdk.states import PluginState, Reason

if TYPE_CHECKING:
    from venom_core.plugins.discovery import Found
    from venom_core.plugins.gates import Refusal
    from venom_core.plugins.loader import Loaded
    from venom_core.plugins.providers import ProviderSlot


@dataclass(slots=True)
class InstalledPlugin:
    """Mutable; only the host changes it, on its event loop."""

    found: Found
    state: PluginState = PluginState.DISCOVERED
    reason: Reason | None = None
    loaded: Loaded | None = None
    slots: list[ProviderSlot] = field(default_factory=list)
    loading: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        return self.found.id

    @property
    def key(self) -> tuple[str, str]:
        return self.found.id, self.found.distribution

    @property
    def first_party(self) -> bool:
        return self.found.origin == "first_party"

    @property
    def label(self) -> str:
        """The name for the log: two distributions may have plugins of one id."""
        return f"{self.id} ({self.found.distribution})"

    @property
    def is_busy(self) -> bool:
        """Whether its code is in memory or on the way there."""
        return self.state is PluginState.LOADED or self.loading is not None

    def refuse(self, refusal: Refusal | None) -> None:
        """Take over a gate's judgement; without an objection the plugin may be loaded."""
        self.state = refusal.state if refusal else PluginState.DISCOVERED
        self.reason = refusal.reason if refusal else None

    def may_own(self, provider: str) -> bool:
        """Return whether a provider of that name could be this plugin's."""
        return provider == self.id or provider.startswith(f"{self.id}-")

    def is_called(self, name: str) -> bool:
        """Return whether a person means this plugin by ``name``: its own, its distribution's, or
        that of one of its providers."""
        own = (self.id, self.found.distribution)
        return (
            name in own
            or normalized(name) == self.found.distribution
            or any(name == slot.spec.name for slot in self.slots)
        )

    def record(self) -> PluginRecord:
        found = self.found
        return PluginRecord(
            id=found.id,
            state=self.state,
            reason=self.reason,
            distribution=found.distribution,
            version=found.version,
            api=found.api,
            origin=found.origin,
            load_ms=self.loaded.load_ms if self.loaded else None,
            providers=tuple(slot.record() for slot in self.slots),
        )
