"""The record that the API, the CLI and the page show: one for each installed plugin, whatever
became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import TypedDict

from venom_core.plugins.breaches import BreachView
from venom_core.plugins.discovery import Origin
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.records import ReasonRecord
from venom_core.sdk.states import (
    PluginState,
    PluginStateLabel,
    ProviderStatus,
    ProviderStatusLabel,
    Reason,
)


class ProviderView(TypedDict):
    """``reason`` says why the provider is not ready; ``breaches`` are the rules of the law of
    providers that it has broken since the start. ``homepage`` is where its engine or server is
    described."""

    name: str
    title: str
    summary: str
    homepage: str | None
    status: ProviderStatusLabel
    capabilities: list[str]
    reason: ReasonRecord | None
    breaches: list[BreachView]
    #: As the engine or its server tells it; null where it tells none, or was not asked yet.
    engine_version: str | None


class PluginView(TypedDict):
    """``recoverable``: a retry without an install may help. ``load_ms`` is null where the plugin's
    manifest was not imported."""

    id: str
    state: PluginStateLabel
    recoverable: bool
    reason: ReasonRecord | None
    distribution: str
    version: str
    api: str
    origin: Origin
    load_ms: float | None
    providers: list[ProviderView]


@dataclass(frozen=True, slots=True)
class ProviderRecord:
    """A provider of a loaded plugin, as it is now."""

    name: str
    title: str
    status: ProviderStatus
    capabilities: tuple[str, ...]
    reason: Reason | None = None
    version: str | None = None
    breaches: Sequence[BreachView] = ()
    summary: str = ""
    homepage: str | None = None

    def record(self) -> ProviderView:
        return {
            "name": self.name,
            "title": self.title,
            "summary": self.summary,
            "homepage": self.homepage,
            "status": self.status.label,
            "capabilities": list(self.capabilities),
            "reason": self.reason.record() if self.reason else None,
            "breaches": list(self.breaches),
            "engine_version": self.version,
        }

    def event(self) -> ObservedEvent:
        """Return what the observers are told of this state."""
        why = self.reason
        data = {
            "provider": self.name,
            "status": self.status.label,
            "code": why.code if why else None,
            "message": why.message if why else None,
        }
        return ObservedEvent("provider.state", data)


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """An installed plugin. ``id`` is the entry point's name; where two distributions have the
    same, ``distribution`` tells them apart. ``load_ms`` is the manifest's time, None if unloaded.
    """

    id: str
    state: PluginState
    reason: Reason | None
    distribution: str
    version: str
    api: str
    origin: Origin
    load_ms: float | None
    providers: tuple[ProviderRecord, ...] = ()

    def record(self) -> PluginView:
        return {
            "id": self.id,
            "state": self.state.label,
            "recoverable": self.state.recoverable,
            "reason": self.reason.record() if self.reason else None,
            "distribution": self.distribution,
            "version": self.version,
            "api": self.api,
            "origin": self.origin,
            "load_ms": self.load_ms,
            "providers": [provider.record() for provider in self.providers],
        }
