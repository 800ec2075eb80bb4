"""The part of the plugin host that the core needs to use providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from venom_core.plugins.records import PluginRecord
from venom_core.sdk.provider import Model, Provider
from venom_core.sdk.spec import ProviderSpec
from venom_core.sdk.states import Health


class ProviderAccess(Protocol):
    """Providers by name or alias; each is opened at its first use and handed out guarded."""

    async def provider(self, name: str) -> Provider:
        """Return the opened provider; raise what keeps it from being used."""

    async def offered(self, name: str) -> Sequence[Model]:
        """Return what a provider whose engine is missing could fetch."""

    async def health(self, name: str) -> Health:
        """Return the provider's health, opening it if needed; raise where there is none."""

    def records(self) -> list[PluginRecord]:
        """Return every installed plugin and the state of its providers."""

    def resolve_name(self, name: str) -> str | None:
        """Return the name of a loaded provider for its name or alias."""

    def preference(self) -> Sequence[str]:
        """Return the providers that take part in the choice for a bare name, the preferred
        first."""

    def specs(self) -> Mapping[str, ProviderSpec]:
        """Return the declarations of the providers that may be used, by name."""
